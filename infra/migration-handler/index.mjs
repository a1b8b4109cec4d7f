// The runtime of Lambda brings the SDK along.
import { ECS } from '@aws-sdk/client-ecs';
import { hasEnded, start } from './migration-run.mjs';

const ecs = new ECS({});

export const onEvent = (event) => start(ecs, event);
export const isComplete = (event) => hasEnded(ecs, event);

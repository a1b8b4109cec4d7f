import type { BackgroundTask } from './background.ts';
import type { Route } from './route.ts';

/** What the front door of a module hands to the composition root. */
export interface Module<Api> {
  readonly api: Api;
  readonly routes: readonly Route[];
  readonly tasks: readonly BackgroundTask[];
}

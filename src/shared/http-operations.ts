import type { RequestHandler } from 'express';
import { z } from 'zod';
import { unavailable } from './failure.ts';
import type { ProcessState, Readiness } from './readiness.ts';
import type { Route } from './route.ts';
import { route } from './route.ts';

const whyNotReady: Readonly<Record<Exclude<ProcessState, 'ready'>, string>> = {
  starting: 'The process is starting.',
  'migrations-pending': 'The process waits for migrations.',
  draining: 'The process is draining.',
};

const live = z.object({ status: z.literal('live') }).meta({ id: 'Liveness' });
const ready = z
  .object({
    status: z
      .enum(['ready', 'degraded'])
      .meta({ description: '`degraded`: some store does not answer; the process still wants requests' }),
    stores: z.record(z.string(), z.enum(['up', 'down'])),
  })
  .meta({ id: 'Readiness' });

const answeredAlways: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** A process without its tables, or that does not know yet what was revoked, answers nothing but how it is. */
export function refuseUntilReady(readiness: Readiness): RequestHandler {
  return (request, _response, next) => {
    const state = readiness.state();
    const refused = (state === 'starting' || state === 'migrations-pending') && !answeredAlways.has(request.path);
    next(refused ? unavailable(whyNotReady[state]) : undefined);
  };
}

/** What balancers and orchestrators ask. */
export function operationRoutes(readiness: Readiness): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/livez',
      access: 'public',
      quota: 'none',
      shedding: 'never',
      tag: 'Operations',
      operationId: 'getLiveness',
      summary: 'Does the process run?',
      description: 'Looks at nothing but the process itself.',
      replies: { 200: { description: 'It runs', body: live } },
      problems: [],
      handle: async () => ({ status: 200, body: { status: 'live' } }),
    }),
    route({
      method: 'get',
      path: '/readyz',
      access: 'public',
      quota: 'none',
      shedding: 'never',
      tag: 'Operations',
      operationId: 'getReadiness',
      summary: 'Should the process get requests?',
      description:
        '503 while it starts, waits for migrations or drains. A store that goes down later is named in a 200 answer: replacing the process would not heal it.',
      replies: { 200: { description: 'It should', body: ready } },
      problems: [],
      handle: async () => {
        const state = readiness.state();
        if (state !== 'ready') throw unavailable(whyNotReady[state]);
        const stores = await readiness.stores();
        return { status: 200, body: { status: Object.values(stores).includes('down') ? 'degraded' : 'ready', stores } };
      },
    }),
  ];
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProblemCode } from './failure.ts';

/** What is known about a request while it is served; the access log and the problem documents read it. */
export interface RequestState {
  readonly requestId: string;
  readonly startedAt: number;
  /** the client's address as the trusted proxies tell it */
  readonly address: string;
  /** the template of the route that took the request, such as `/things/{id}` */
  route?: string;
  operationId?: string;
  quota?: string;
  /** of the path, once they are checked */
  params?: unknown;
  /** why it was refused */
  problem?: ProblemCode;
  userId?: string;
  /** it takes as long as the client wants */
  streamed?: boolean;
}

const states = new WeakMap<ServerResponse, RequestState>();

export function keepState(response: ServerResponse, state: RequestState): void {
  states.set(response, state);
}

/** @throws when the front has not seen the request yet: a mistake in the order of the handlers */
export function stateOf(response: ServerResponse): RequestState {
  const state = states.get(response);
  if (state === undefined) throw new Error('The request has no state yet.');
  return state;
}

/** How often a header was sent; Node keeps one of them or joins them and does not tell. `name` in lower case. */
export function headerCount({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === name.length && rawHeaders[index]?.toLowerCase() === name) count += 1;
  }
  return count;
}

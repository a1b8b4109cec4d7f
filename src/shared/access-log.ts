import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { ProblemCode } from './failure.ts';
import { stateOf } from './http-state.ts';

/** How a request ended, for whoever measures. */
export interface Answered {
  /** of the route that took it */
  readonly operationId?: string | undefined;
  readonly quota?: string | undefined;
  readonly status: number;
  readonly problem?: ProblemCode | undefined;
  readonly durationMs: number;
  /** how long it took says nothing about the shop */
  readonly streamed: boolean;
  /** an answer that was given before */
  readonly replayed: boolean;
}

/** The status that logs of servers give a request whose client left before the answer. */
const clientLeft = 499;

/** One line for each request. The path itself appears only where no route took it, and never with its query; the logger cuts it. */
export function logAccess(log: Logger, request: Request, response: Response): Answered {
  const {
    requestId,
    route,
    params,
    userId,
    startedAt,
    address,
    operationId,
    quota,
    problem,
    streamed = false,
  } = stateOf(response);
  // who has left was told nothing
  const status = response.headersSent ? response.statusCode : clientLeft;
  const durationMs = Math.round((performance.now() - startedAt) * 100) / 100;
  const location = response.getHeader('Location');
  const line = {
    requestId,
    ...tracesOf(request),
    method: request.method,
    route: route ?? 'none',
    ...(route === undefined && { path: request.path }),
    ...(params !== undefined && { params }),
    ...(location !== undefined && { location }),
    status,
    ...(problem !== undefined && { problem }),
    durationMs,
    address,
    ...(userId !== undefined && { userId }),
    ...(!response.writableFinished && { aborted: true }),
  };
  if (status >= 500) log.warn(line, 'request');
  else log.info(line, 'request');
  const replayed = response.getHeader('Idempotency-Replayed') === 'true';
  return { operationId, quota, status, problem, durationMs, streamed, replayed };
}

const traceParent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const amazonTrace = /(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/;

/** The trace that a caller (W3C Trace Context) or a balancer of AWS has begun; anything else in these headers is left alone. */
function tracesOf({ headers }: Request): { readonly traceId?: string; readonly amazonTraceId?: string } {
  const traceId = traceParent.exec(String(headers.traceparent ?? ''))?.[1];
  const amazonTraceId = amazonTrace.exec(String(headers['x-amzn-trace-id'] ?? ''))?.[1];
  return { ...(traceId !== undefined && { traceId }), ...(amazonTraceId !== undefined && { amazonTraceId }) };
}

import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { stateOf } from './http-state.ts';

/** One line for each request. The path itself appears only where no route took it, and never with its query; the logger cuts it. */
export function logAccess(log: Logger, request: Request, response: Response): void {
  const { requestId, route, userId, startedAt, address } = stateOf(response);
  const line = {
    requestId,
    method: request.method,
    route: route ?? 'none',
    ...(route === undefined && { path: request.path }),
    status: response.statusCode,
    durationMs: Math.round((performance.now() - startedAt) * 100) / 100,
    address,
    ...(userId !== undefined && { userId }),
    ...(!response.writableFinished && { aborted: true }),
  };
  if (response.statusCode >= 500) log.warn(line, 'request');
  else log.info(line, 'request');
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { overloaded } from './failure.ts';
import { crossOrigin, requestIdOf, securityHeaders } from './http-guard.ts';
import { closeGently } from './http-linger.ts';
import { byPath } from './http-mount.ts';
import { problemOf } from './http-problem.ts';
import type { Lane, LoadLimiter } from './load-limiter.ts';
import type { Readiness } from './readiness.ts';
import type { Route } from './route.ts';

interface SheddingOptions {
  readonly routes: readonly Route[];
  readonly limiter: LoadLimiter;
  readonly readiness: Readiness;
  readonly corsOrigins: readonly string[];
  /** called for each request that is refused here */
  readonly onShed?: () => void;
}

/**
 * Answers 503 to requests of a lane that is full, before the front has done anything for them: in an overload there are many, and each
 * takes time from those that are served. False: not answered. They are counted in the log, not listed one by one.
 */
export function createShedding({
  routes,
  limiter,
  readiness,
  corsOrigins,
  onShed = () => {},
}: SheddingOptions): (request: IncomingMessage, response: ServerResponse) => boolean {
  const targets = byPath(routes).map(([path, ofPath]) => targetOf(path, ofPath, limiter));
  const lanes = [...new Set(targets.flatMap(({ byMethod }) => [...byMethod.values()]))];
  const secure = securityHeaders();
  const share = crossOrigin(corsOrigins);

  return (request, response) => {
    if (!lanes.some((lane) => lane.isFull()) || readiness.state() !== 'ready') return false;
    const [path = ''] = (request.url ?? '').split('?', 1);
    const lane = targets.find(({ pattern }) => pattern.test(path))?.byMethod.get(request.method ?? '');
    if (!lane?.isFull()) return false;
    lane.refuse();
    onShed();
    for (const addHeaders of [secure, share]) addHeaders(request, response, () => {});
    refuse(request, response);
    return true;
  };
}

function targetOf(path: string, routes: readonly Route[], limiter: LoadLimiter) {
  const byMethod = new Map<string, Lane>();
  for (const { method, quota, shedding = 'late' } of routes) {
    if (shedding !== 'early') continue;
    const lane = limiter.laneOf({ quota, shedding });
    byMethod.set(method.toUpperCase(), lane);
    if (method === 'get') byMethod.set('HEAD', lane);
  }
  return { pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`), byMethod };
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const requestId = requestIdOf(request);
  const failure = overloaded();
  const body = Buffer.from(JSON.stringify(problemOf(failure, requestId)));
  const headers = {
    ...failure.headers,
    'X-Request-Id': requestId,
    'Cache-Control': 'private, no-store',
    'Content-Type': 'application/problem+json',
    'Content-Length': body.length,
  };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (!request.complete) closeGently(request, response);
  response.statusCode = 503;
  response.end(request.method === 'HEAD' ? undefined : body);
}

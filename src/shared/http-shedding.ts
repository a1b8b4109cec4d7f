import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { overloaded } from './failure.ts';
import { crossOrigin, requestIdOf, securityHeaderFields } from './http-guard.ts';
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
  const share = crossOrigin(corsOrigins);
  const refuse = createRefusal();

  return (request, response) => {
    if (!lanes.some((lane) => lane.isFull()) || readiness.state() !== 'ready') return false;
    const [path = ''] = (request.url ?? '').split('?', 1);
    const lane = targets.find(({ pattern }) => pattern.test(path))?.byMethod.get(request.method ?? '');
    if (!lane?.isFull()) return false;
    lane.refuse();
    onShed();
    share(request, response, () => refuse(request, response));
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

/** Thousands of requests a second get this answer, all but their ids the same: it is made once and goes out in one piece. */
function createRefusal(): (request: IncomingMessage, response: ServerResponse) => void {
  const failure = overloaded();
  const anyId = randomUUID();
  const [before, after] = JSON.stringify(problemOf(failure, anyId)).split(`"${anyId}"`);
  const common = [
    ...securityHeaderFields(),
    ...Object.entries(failure.headers),
    ['Cache-Control', 'private, no-store'],
    ['Content-Type', 'application/problem+json'],
  ].flat();
  return (request, response) => {
    const requestId = requestIdOf(request);
    // an id has no character that JSON would write in another way
    const body = `${before}"${requestId}"${after}`;
    if (!request.complete) closeGently(request, response);
    const length = Buffer.byteLength(body);
    response.writeHead(503, [...common, 'X-Request-Id', requestId, 'Content-Length', String(length)]);
    // ASCII is the same in both, and faster so
    response.end(request.method === 'HEAD' ? undefined : body, length === body.length ? 'latin1' : 'utf8');
  };
}

import type { Request, RequestHandler, Response } from 'express';
import type { Route } from './route.ts';

/** Answers a request; what it rejects with is for the problem handler. */
export type RouteHandler = (request: Request, response: Response) => Promise<void>;

/** A route that a request is for, and what its path says. */
interface Match {
  readonly handler: RouteHandler;
  readonly params: Readonly<Record<string, string>>;
}

export type MountedRoute = Pick<Route, 'method' | 'path'> & { readonly handler: RouteHandler };

interface Candidate {
  readonly segments: readonly string[];
  readonly byMethod: Map<string, RouteHandler>;
}

/**
 * Finds the route of a plain request: a path as it is written, a method that the path has. Undefined for everything else, which is left
 * to Express. Routes come in the order in which they are tried.
 */
export function createMatch(routes: readonly MountedRoute[]): (method: string, url: string) => Match | undefined {
  const bySegmentCount = new Map<number, Candidate[]>();
  for (const { method, path, handler } of routes) {
    const segments = path.split('/');
    const candidates = bySegmentCount.get(segments.length) ?? [];
    bySegmentCount.set(segments.length, candidates);
    const known = candidates.find((candidate) => candidate.segments.join('/') === path);
    const { byMethod } = known ?? { byMethod: new Map<string, RouteHandler>() };
    if (known === undefined) candidates.push({ segments, byMethod });
    byMethod.set(method.toUpperCase(), handler);
    if (method === 'get') byMethod.set('HEAD', handler);
  }
  return (method, url) => {
    const end = url.indexOf('?');
    const path = end === -1 ? url : url.slice(0, end);
    // the absolute form, a fragment, and what has to be decoded
    if (!path.startsWith('/') || path.includes('%') || url.includes('#')) return undefined;
    const segments = path.split('/');
    const found = bySegmentCount.get(segments.length)?.find((candidate) => fits(candidate, segments));
    const handler = found?.byMethod.get(method);
    return found === undefined || handler === undefined ? undefined : { handler, params: paramsOf(found, segments) };
  };
}

function fits({ segments }: Candidate, sent: readonly string[]): boolean {
  return segments.every((segment, index) => (segment.startsWith('{') ? sent[index] !== '' : segment === sent[index]));
}

function paramsOf({ segments }: Candidate, sent: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries())
    if (segment.startsWith('{')) params[segment.slice(1, -1)] = sent[index] ?? '';
  return params;
}

export interface Passing {
  readonly request: Request;
  readonly response: Response;
  readonly handlers: readonly RequestHandler[];
  /** called with the first error, and nothing is called after it */
  readonly failed: (error: unknown, request: Request, response: Response) => void;
}

/** Runs the handlers one after the other, as Express does, then `last`. */
export function pass({ request, response, handlers, failed }: Passing, last: () => void): void {
  let index = 0;
  const next = (error?: unknown): void => {
    if (error !== undefined) {
      failed(error, request, response);
      return;
    }
    const handler = handlers[index];
    index += 1;
    try {
      if (handler === undefined) last();
      // none of them is asynchronous
      else void handler(request, response, next);
    } catch (thrown) {
      failed(thrown, request, response);
    }
  };
  next();
}

import type { Express, Request, RequestHandler, Response } from 'express';
import { withDeadline, withoutDeadline } from './deadline.ts';
import { Failure, overloaded } from './failure.ts';
import type { Authenticate } from './http-access.ts';
import { identify, requireRole } from './http-access.ts';
import type { MountedRoute, RouteHandler } from './http-dispatch.ts';
import { createInputReader } from './http-input.ts';
import type { CountRequest } from './http-quota.ts';
import { stateOf } from './http-state.ts';
import { noStream, openBody, sendStream } from './http-stream.ts';
import type { Lane, LoadLimiter } from './load-limiter.ts';
import type { Principal } from './principal.ts';
import type { Reply, Route } from './route.ts';
import { asCaller } from './security-log.ts';

export interface MountOptions {
  readonly authenticate: Authenticate;
  /** absent: nothing is counted */
  readonly quotas?: ReadonlyMap<string, CountRequest>;
  /** absent: everything is let in */
  readonly limiter?: LoadLimiter;
  /** what a request may take, without the time that its body takes to come in */
  readonly timeoutMs?: number;
  /** how long a stream may stand still in both directions, after which the connection is cut */
  readonly streamIdleMs?: number;
}

/** Half of what clients are told to wait. */
const defaultTimeoutMs = 5000;
const defaultStreamIdleMs = 30_000;

/**
 * Mounts the routes. Every path answers every method: the ones that it has, 204 with `Allow` to OPTIONS, 405 with `Allow` to
 * the rest. Answers their handlers, in the order in which paths are tried, for who finds them faster.
 * @throws when a route names a quota that nobody defined, or two routes are the same
 */
export function mountRoutes(app: Express, routes: readonly Route[], options: MountOptions): readonly MountedRoute[] {
  return byPath(routes).flatMap(([path, ofPath]) => {
    const mounted = app.route(expressPath(path));
    const handled = ofPath.map((route) => ({ method: route.method, path, handler: routeHandler(route, options) }));
    for (const { method, handler } of handled) mounted[method](handler);
    mounted.all(otherMethods(path, allowedMethods(ofPath)));
    return handled;
  });
}

/** Routes by path, those without parameters first, so that `/things/summary` is not taken for a thing's id. */
export function byPath(routes: readonly Route[]): (readonly [string, readonly Route[]])[] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const group = groups.get(route.path) ?? [];
    if (group.some(({ method }) => method === route.method)) throw new Error(`Two routes are ${route.method} ${route.path}.`);
    groups.set(route.path, [...group, route]);
  }
  return [...groups].sort(([one], [other]) => Number(one.includes('{')) - Number(other.includes('{')));
}

/** The paths of Express and of OpenAPI differ in how they name a parameter. */
function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/**
 * One request through one route: access, quota, input, load, handler, answer; whatever is thrown goes to the problem handler. The
 * request has a time limit, which is handed down; what comes of the work after it is nobody's answer any more.
 */
function routeHandler(route: Route, options: MountOptions): RouteHandler {
  const { authenticate, quotas, limiter, timeoutMs = defaultTimeoutMs, streamIdleMs = defaultStreamIdleMs } = options;
  const lane = limiter?.laneOf({ shedding: 'late', ...route });
  const count = quotas === undefined || route.quota === 'none' ? undefined : quotas.get(route.quota);
  if (quotas !== undefined && route.quota !== 'none' && count === undefined)
    throw new Error(`${route.operationId} names an unknown quota.`);
  const readInput = createInputReader(route);
  const streamed = Object.values(route.replies).flatMap(({ streams = {} }) => Object.keys(streams));
  return async (request, response) => {
    const state = stateOf(response);
    Object.assign(state, { route: route.path, operationId: route.operationId, quota: route.quota });
    const beganAt = performance.now();
    const principal = await withDeadline(timeoutMs, async () => {
      const caller = await identify(request, route.access, authenticate);
      if (caller !== undefined) state.userId = caller.userId;
      requireRole(caller, route.access);
      await count?.(request, response);
      return caller;
    });
    const admissionMs = performance.now() - beganAt;
    const accepted = streamed.length === 0 ? '' : acceptedOf(request, streamed);
    const input = await readInput(request);
    if (input.params !== undefined) state.params = input.params;
    const leave = enter(lane);
    const call = {
      ...input,
      stream: noStream,
      accepted,
      principal,
      requestId: state.requestId,
      address: state.address,
      userAgent: request.headers['user-agent'] ?? '',
      url: request.url,
    };
    if (streamed.length > 0) {
      state.streamed = true;
      request.socket.setTimeout(streamIdleMs);
      return answerStream({ route, call, request, response }).finally(leave);
    }
    const reply = await withDeadline(timeoutMs - admissionMs, () => handle(route, call).finally(leave));
    setCaching({ route, principal, response });
    sendReply(request, response, reply);
  };
}

/** What goes on for minutes has no time limit as a whole: its steps have, and the connection may not stand still. */
async function answerStream(exchange: {
  readonly route: Route;
  readonly call: Parameters<Route['handle']>[0];
  readonly request: Request;
  readonly response: Response;
}): Promise<void> {
  const { route, call, request, response } = exchange;
  const stream = route.streams === undefined ? noStream : openBody(request, response, Object.keys(route.streams));
  const { stream: answer, ...reply } = await handle(route, { ...call, stream });
  setCaching({ route, principal: call.principal, response });
  if (answer === undefined) return sendReply(request, response, reply);
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  await withoutDeadline(() => sendStream({ request, response }, answer));
}

/** @throws not-acceptable (406) */
function acceptedOf(request: Request, types: readonly string[]): string {
  const accepted = request.accepts([...types]);
  if (accepted === false) throw new Failure('not-acceptable', { detail: `The answer is ${types.join(' or ')}.` });
  return String(accepted);
}

/** Reading changes nothing, so nothing is noted of it but by who may read about others. */
function handle(route: Route, call: Parameters<Route['handle']>[0]): Promise<Reply> {
  return route.method === 'get' && route.access !== 'admin' ? route.handle(call) : asCaller(call, () => route.handle(call));
}

/** @throws overloaded (503) */
function enter(lane: Lane | undefined): (() => void) | undefined {
  if (lane === undefined) return undefined;
  const leave = lane.enter();
  if (leave === undefined) throw overloaded();
  return leave;
}

/** What is about somebody, or was done for somebody, is kept by nobody; the rest is asked for again each time, by its ETag. */
function setCaching({
  route,
  principal,
  response,
}: {
  route: Route;
  principal: Principal | undefined;
  response: Response;
}): void {
  const personal = principal !== undefined || route.method !== 'get';
  response.setHeader('Cache-Control', personal ? 'private, no-store' : 'no-cache');
  if (route.access === 'optional') response.vary('Authorization');
}

function sendReply(request: Request, response: Response, { status, body, headers = {} }: Reply): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body === undefined) {
    response.end();
    return;
  }
  // a text goes out in one piece with the head, bytes would be a second one
  const text = JSON.stringify(body);
  response.setHeader('Content-Type', 'application/json');
  const length = Buffer.byteLength(text);
  response.setHeader('Content-Length', length);
  if (request.method === 'HEAD') response.end();
  // ASCII is the same in both, and faster so
  else response.end(text, length === text.length ? 'latin1' : 'utf8');
}

function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return [...methods, 'OPTIONS'].join(', ');
}

/** Answers for the methods that a path does not have. */
export function otherMethods(path: string, allow: string): RequestHandler {
  return (request, response) => {
    stateOf(response).route = path;
    if (request.method !== 'OPTIONS') throw new Failure('method-not-allowed', { headers: { Allow: allow } });
    response.setHeader('Allow', allow);
    response.status(204).end();
  };
}

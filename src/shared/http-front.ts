import type { RequestListener, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express';
import type { Logger } from 'pino';
import type { Answered } from './access-log.ts';
import { Failure } from './failure.ts';
import type { Authenticate } from './http-access.ts';
import { createMatch, type MountedRoute, pass } from './http-dispatch.ts';
import { mountDocs } from './http-docs.ts';
import { beginRequest, crossOrigin, refuseAmbiguous, securityHeaders } from './http-guard.ts';
import { expressMessages, type HttpMessages } from './http-messages.ts';
import { mountRoutes } from './http-mount.ts';
import { operationRoutes, refuseUntilReady } from './http-operations.ts';
import { mountPage } from './http-page.ts';
import { createProblemHandler } from './http-problem.ts';
import { mountProblemPages } from './http-problem-pages.ts';
import { type CounterStore, createQuotas, type QuotaRules } from './http-quota.ts';
import type { LoadLimiter } from './load-limiter.ts';
import { createOpenApiDocument, type ServiceInfo } from './openapi-document.ts';
import type { ProblemGuides } from './problem-guide.ts';
import type { Readiness } from './readiness.ts';
import type { Route } from './route.ts';
import { type Tracing, traceRequests } from './tracing.ts';

/** The handler wants requests and responses of these classes. */
export interface Front {
  readonly handler: RequestListener;
  readonly messages: HttpMessages;
}

export interface FrontOptions {
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  /** absent: no rate limits */
  readonly quotas?: QuotaRules;
  /** counters that processes share; absent: each process counts for itself */
  readonly counters?: CounterStore;
  /** absent: every request is let in */
  readonly limiter?: LoadLimiter;
  /** what a request may take, default 5,000 */
  readonly timeoutMs?: number;
  /** how long a stream may stand still, default 30,000 */
  readonly streamIdleMs?: number;
  /** absent: nothing is traced */
  readonly tracing?: Tracing;
  /** how many proxies in front of the process add to X-Forwarded-For */
  readonly trustProxyHops: number;
  readonly corsOrigins: readonly string[];
  readonly readiness: Readiness;
  readonly info: ServiceInfo;
  readonly guides: ProblemGuides;
  readonly log: Logger;
  /** called when a request has ended */
  readonly onAnswered?: (answered: Answered) => void;
}

/**
 * The one entry to everything: security headers, request ids, access, quotas, input checks, problem documents, request log,
 * the operations routes, the OpenAPI document and the pages that explain it.
 */
export function createFront(options: FrontOptions): Front {
  const { authenticate, limiter, timeoutMs, streamIdleMs, readiness, info, guides, log, onAnswered = () => {} } = options;
  const routes = [...options.routes, ...operationRoutes(readiness)];
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.set('query parser', false);
  app.set('trust proxy', options.trustProxyHops);
  const passed = [
    beginRequest(log, onAnswered),
    ...(options.tracing === undefined ? [] : [traceRequests(options.tracing)]),
    ...[securityHeaders(), crossOrigin(options.corsOrigins), refuseAmbiguous(), refuseUntilReady(readiness)],
  ];
  app.use(...passed);
  const mounted = mountRoutes(app, routes, {
    authenticate,
    ...(limiter !== undefined && { limiter }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(streamIdleMs !== undefined && { streamIdleMs }),
    ...(options.quotas !== undefined && { quotas: createQuotas(options.quotas, options.counters) }),
  });
  mountOpenApi(app, () => createOpenApiDocument({ info, routes, guides }));
  mountDocs(app, info.title);
  mountProblemPages(app, guides);
  app.use(() => {
    throw new Failure('not-found', { detail: 'There is nothing at this path.' });
  });
  const fail = createProblemHandler({ log });
  app.use(fail);
  return { handler: besideExpress({ app, passed, mounted, fail }), messages: expressMessages(app) };
}

/**
 * Requests for a route pass the same handlers as in Express and then go to their route; its search, which looks at one layer after the
 * other, costs more than they do. All others go through Express.
 */
function besideExpress({
  app,
  passed,
  mounted,
  fail,
}: {
  readonly app: Express;
  readonly passed: readonly RequestHandler[];
  readonly mounted: readonly MountedRoute[];
  readonly fail: ErrorRequestHandler;
}): RequestListener {
  const match = createMatch(mounted);
  const failed = (error: unknown, request: Request, response: Response) => void fail(error, request, response, () => {});
  return (plainRequest, plainResponse) => {
    // the server makes them of `messages`
    const [request, response] = [plainRequest as Request, plainResponse as Response];
    if (!request.url.startsWith('/') && !readPath(request)) {
      request.params = {};
      pass({ request, response, handlers: passed, failed }, () => failed(targetWithoutPath(), request, response));
      return;
    }
    const found = match(request.method, request.url);
    if (found === undefined) return app(request, response);
    request.params = found.params;
    pass({ request, response, handlers: passed, failed }, () => {
      found.handler(request, response).catch((error: unknown) => failed(error, request, response));
    });
  };
}

/**
 * The absolute form of a target (RFC 9112, section 3.2.2) means the same as its path alone. False where there is none, which Express
 * would answer in its own way: then the path is `/`.
 */
function readPath(request: Request): boolean {
  if (request.url === '*') return true;
  const path = /^https?:\/\/(?:\[[\da-f:.]+\]|[^/?#[\]]*)(?::\d+)?(\/.*)$/i.exec(request.url)?.[1];
  request.url = path ?? '/';
  return path !== undefined;
}

function targetWithoutPath(): Failure {
  return new Failure('malformed', { detail: 'The target of the request has no path.' });
}

/** The document is made when it is first asked for: a start need not wait for it. */
function mountOpenApi(app: Express, create: () => object): void {
  let bytes: Buffer | undefined;
  mountPage(app, '/openapi.json', (_request, response: ServerResponse) => {
    bytes ??= Buffer.from(JSON.stringify(create()));
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Cache-Control', 'no-cache');
    response.end(bytes);
  });
}

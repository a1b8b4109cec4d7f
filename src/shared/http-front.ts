import type { ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { Answered } from './access-log.ts';
import { Failure } from './failure.ts';
import type { Authenticate } from './http-access.ts';
import { mountDocs } from './http-docs.ts';
import { beginRequest, crossOrigin, refuseAmbiguous, securityHeaders } from './http-guard.ts';
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
export function createFront(options: FrontOptions): Express {
  const { authenticate, limiter, timeoutMs, streamIdleMs, readiness, info, guides, log, onAnswered = () => {} } = options;
  const routes = [...options.routes, ...operationRoutes(readiness)];
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.set('query parser', false);
  app.set('trust proxy', options.trustProxyHops);
  app.use(beginRequest(log, onAnswered));
  if (options.tracing !== undefined) app.use(traceRequests(options.tracing));
  app.use(securityHeaders(), crossOrigin(options.corsOrigins), refuseAmbiguous(), refuseUntilReady(readiness));
  mountRoutes(app, routes, {
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
  app.use(createProblemHandler({ log }));
  return app;
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

import type { Logger } from 'pino';
import program from '../package.json' with { type: 'json' };
import { checksOf, type Stores } from './app-stores.ts';
import { problemGuides } from './problem-guides.ts';
import type { Config } from './shared/config.ts';
import type { Authenticate } from './shared/http-access.ts';
import { createFront } from './shared/http-front.ts';
import type { QuotaRules } from './shared/http-quota.ts';
import { createHttpServer } from './shared/http-server.ts';
import { createShedding } from './shared/http-shedding.ts';
import type { LoadLimiter } from './shared/load-limiter.ts';
import type { ServiceInfo } from './shared/openapi-document.ts';
import { createReadiness, type StoreCheck } from './shared/readiness.ts';
import type { Route } from './shared/route.ts';
import { measureAnswers, type ShopMetrics } from './shop-metrics.ts';

/** Everything between the port and the modules. */
export function buildHttp({
  config,
  stores,
  checks,
  metrics,
  limiter,
  authenticate,
  routes,
  log,
}: {
  config: Config;
  stores: Stores;
  /** besides those of the stores */
  checks: Readonly<Record<string, StoreCheck>>;
  metrics: ShopMetrics;
  limiter: LoadLimiter;
  authenticate: Authenticate;
  routes: readonly Route[];
  log: Logger;
}) {
  const { trustProxyHops, corsOrigins } = config.http;
  const readiness = createReadiness({ checks: { ...checksOf(stores), ...checks }, log });
  const { handler, messages } = createFront({
    routes,
    authenticate,
    ...(config.rateLimits.enabled && { quotas: quotasOf(config) }),
    ...(stores.sharing !== undefined && { counters: stores.sharing.quotas }),
    limiter,
    ...(stores.tracing !== undefined && { tracing: stores.tracing }),
    trustProxyHops,
    corsOrigins,
    readiness,
    info: serviceInfo(),
    guides: problemGuides,
    log,
    onAnswered: measureAnswers(metrics),
  });
  const shed = createShedding({ routes, limiter, readiness, corsOrigins, onShed: () => metrics.count('Sheds') });
  return {
    http: createHttpServer({ handler: stores.crashing.handler(handler), messages, readiness, log, shed }),
    readiness,
    limiter,
  };
}

function quotasOf({ rateLimits }: Config): QuotaRules {
  return {
    browsing: { ...rateLimits.browsing, per: 'address', frequent: true },
    orders: { ...rateLimits.orders, per: 'user' },
    staff: { ...rateLimits.staff, per: 'user' },
    login: { ...rateLimits.login, per: 'address', exact: true },
    register: { ...rateLimits.register, per: 'address', exact: true },
  };
}

function serviceInfo(): ServiceInfo {
  return {
    title: 'Shop',
    version: program.version,
    description:
      'Accounts, products with stock, and orders. Money is in integer minor units; errors are problem documents (RFC 9457).',
    tags: {
      Accounts: 'Signing up and in, one’s own account and sessions',
      Users: 'Users and their roles, for admins',
      Products: 'What is for sale',
      Stock: 'How many pieces there are',
      Orders: 'Placing orders and what becomes of them',
      Operations: 'For balancers and operators',
    },
  };
}

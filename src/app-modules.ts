import type { Logger } from 'pino';
import type { Secrets, Stores } from './app-stores.ts';
import { type Auth, type AuthAudit, authMethods, createAuth, createTokenVerification } from './modules/auth/index.ts';
import { type Catalog, catalogMethods, createCatalog } from './modules/catalog/index.ts';
import { createOrders, type OrdersDependencies, type OrdersModule } from './modules/orders/index.ts';
import type { BackgroundTask } from './shared/background.ts';
import type { Config } from './shared/config.ts';
import { createContractClient } from './shared/contract-client.ts';
import type { Contract } from './shared/contract-server.ts';
import { unavailable } from './shared/failure.ts';
import type { Authenticate } from './shared/http-access.ts';
import type { LoadLimiter } from './shared/load-limiter.ts';
import type { Module } from './shared/module.ts';
import type { StoreCheck } from './shared/readiness.ts';
import { createPatience } from './shared/wait-for-stores.ts';
import type { ShopMetrics } from './shop-metrics.ts';

/** What tests may put in the place of the real thing. */
export interface Overrides {
  /** milliseconds since 1970 */
  readonly now?: () => number;
  readonly metricsEveryMs?: number;
  readonly orderIntervals?: NonNullable<OrdersDependencies['intervals']>;
  /** puts something between the shop and its stores, such as what notes the statements; closing them stays ours */
  readonly wrapStores?: (stores: Pick<Stores, 'db' | 'dynamo'>) => Pick<Stores, 'db' | 'dynamo'>;
  /** on a machine that is slow because of the tests themselves, nothing is shed but where that is the story */
  readonly limiter?: LoadLimiter;
  /** which of the background tasks run by themselves; a test may run the others itself */
  readonly chooseTasks?: (tasks: readonly BackgroundTask[]) => readonly BackgroundTask[];
}

interface Parts {
  readonly config: Config;
  readonly stores: Stores;
  /** absent where auth does not run */
  readonly secrets?: Secrets | undefined;
  readonly metrics: ShopMetrics;
  readonly log: Logger;
  readonly overrides: Overrides;
  readonly onAppended: () => void;
}

/** A module that runs here, or elsewhere and is called. */
type Placed<Api> = Module<Api> & {
  /** of a module that runs elsewhere */
  readonly check?: StoreCheck;
  readonly close?: () => void;
};

type PlacedAuth = Placed<Auth> & {
  readonly authenticate: Authenticate;
  readonly audit?: AuthAudit;
  start(): Promise<void>;
};

export interface Modules {
  readonly auth: PlacedAuth;
  /** absent: nobody in this process needs it */
  readonly catalog?: Placed<Catalog>;
  /** absent: others call on this process, it places no orders itself */
  readonly orders?: OrdersModule;
  /** the contracts that others may call, by the names of their modules */
  readonly contracts: Readonly<Record<string, Contract>>;
}

/** Each module of the configuration, here or as a client of the service where it runs: the others do not notice (docs/splitting.md). */
export async function placeModules(parts: Parts): Promise<Modules> {
  const { modules } = parts.config;
  const auth = modules.auth ? await placeAuth(parts) : reachAuth(parts);
  if (!modules.catalog && !modules.orders) return { auth, contracts: { auth: auth.api } };
  const catalog = modules.catalog ? placeCatalog(parts) : reachCatalog(parts);
  return {
    auth,
    catalog,
    ...(modules.orders && { orders: placeOrders(parts, auth.api, catalog.api) }),
    contracts: { ...(modules.auth && { auth: auth.api }), ...(modules.catalog && { catalog: catalog.api }) },
  };
}

async function placeAuth({ config, stores, secrets, log, overrides: { now = Date.now } }: Parts): Promise<PlacedAuth> {
  const { keys, admin } = needed(secrets);
  const dependencies = {
    dynamo: needed(stores.dynamo),
    keys,
    settings: { ...config.auth, ...(admin !== undefined && { admin }) },
    loginFailures: config.rateLimits.enabled ? config.rateLimits.loginFailuresPerAccount : undefined,
    counters: stores.sharing?.counters,
    log,
    now,
  };
  // a stand-in for DynamoDB that runs by itself may come up later; its tables are made here
  return createPatience(log).untilAvailable(() => createAuth(dependencies));
}

const keysTimeoutMs = 2000;

/** Tokens are verified here, with the public keys alone. */
function reachAuth({ config: { services }, log, overrides: { now = Date.now } }: Parts): PlacedAuth {
  const { authUrl = '', jwksUrl = '', tokens } = services; // the configuration sees to it that they are there
  const client = createContractClient<Auth>({ url: authUrl, module: 'auth', methods: authMethods, token: tokens[0] ?? '' });
  const fetchKeys = async () => {
    try {
      const response = await fetch(jwksUrl, { signal: AbortSignal.timeout(keysTimeoutMs) });
      if (response.ok) return await response.json();
      throw new Error(`${jwksUrl} answers ${response.status}`);
    } catch (cause) {
      throw unavailable('The keys of auth can not be read.', cause);
    }
  };
  const verification = createTokenVerification({ fetchKeys, revocationsSince: client.api.revocationsSince, log, now });
  return { ...verification, api: client.api, routes: [], check: client.ping, close: client.close };
}

function placeCatalog({ stores, metrics, log, overrides: { now = Date.now } }: Parts): Placed<Catalog> {
  return createCatalog({
    db: needed(stores.db),
    log,
    now,
    copies: stores.sharing?.copies('products'),
    cache: { onRead: (hit) => metrics.count(hit ? 'CacheHits' : 'CacheMisses') },
  });
}

function reachCatalog({ config: { services } }: Parts): Placed<Catalog> {
  const { catalogUrl = '', tokens } = services; // as above
  const client = createContractClient<Catalog>({
    url: catalogUrl,
    module: 'catalog',
    methods: catalogMethods,
    token: tokens[0] ?? '',
  });
  return { api: client.api, routes: [], tasks: [], check: client.ping, close: client.close };
}

function placeOrders({ stores, metrics, log, overrides, onAppended }: Parts, auth: Auth, catalog: Catalog): OrdersModule {
  const { now = Date.now, orderIntervals } = overrides;
  return createOrders({
    db: needed(stores.db),
    catalog,
    auth,
    log,
    now,
    onAppended,
    onOutboxLooked: ({ ageSeconds, dead }) => {
      metrics.note('OutboxAgeSeconds', ageSeconds);
      metrics.note('DeadLetters', dead);
    },
    ...(stores.queue !== undefined && { queue: stores.queue }),
    ...(orderIntervals !== undefined && { intervals: orderIntervals }),
  });
}

/** The configuration opens what the modules of a process need. */
function needed<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('A module of this process lacks its store.');
  return part;
}

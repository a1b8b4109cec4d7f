import type { Logger } from 'pino';
import { buildHttp } from './app-http.ts';
import { closeStores, gatherSecrets, openStores, type Secrets, type Stores, usesDataFolder } from './app-stores.ts';
import { auditTasks } from './audit-task.ts';
import { createAuth } from './modules/auth/index.ts';
import { createCatalog } from './modules/catalog/index.ts';
import { createOrders, type OrdersDependencies } from './modules/orders/index.ts';
import { type BackgroundRunner, type BackgroundTask, runInBackground } from './shared/background.ts';
import type { Config } from './shared/config.ts';
import { openDataFolder } from './shared/data-folder.ts';
import type { Database } from './shared/database.ts';
import type { HttpServer } from './shared/http-server.ts';
import { migrate, pendingMigrations } from './shared/migrations.ts';
import { createConsumer } from './shared/queue-consumer.ts';
import type { Route } from './shared/route.ts';
import { createShopMetrics, type ShopMetrics } from './shop-metrics.ts';

/** What tests may put in the place of the real thing. */
export interface Overrides {
  /** milliseconds since 1970 */
  readonly now?: () => number;
  readonly metricsEveryMs?: number;
  readonly orderIntervals?: NonNullable<OrdersDependencies['intervals']>;
}

export interface AppOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly overrides?: Overrides;
}

export interface App {
  readonly http: HttpServer;
  /** what the modules serve here, for whoever checks it */
  readonly routes: readonly Route[];
  /** the file that holds the made-up password of the first admin; absent when the environment names an admin */
  readonly adminPasswordFile?: string;
  /** the made-up password, only in the start that made it */
  readonly newAdminPassword?: string;
  /** Migrates embedded storage, makes the first admin, starts the background tasks and becomes ready. */
  start(): Promise<void>;
  /** Stops the background tasks and closes the stores; drain the HTTP server first. */
  close(): Promise<void>;
}

const migrationWatchMs = 1000;

/**
 * The composition root: stores → modules → HTTP → background tasks. Nothing listens on a port yet.
 * @throws when the data folder is in use by another server, or a store can't be opened
 */
export async function createApp({ config, log, overrides = {} }: AppOptions): Promise<App> {
  const folder = usesDataFolder(config) ? openDataFolder(config.stores.dataDir) : undefined;
  const metrics = createShopMetrics({
    log,
    ...(overrides.metricsEveryMs !== undefined && { everyMs: overrides.metricsEveryMs }),
  });
  const stores = await openStores({ config, folder, metrics, log });
  const secrets = gatherSecrets(config, folder);

  let runner: BackgroundRunner | undefined;
  let migrationWatch: BackgroundRunner | undefined;

  const { auth, catalog, orders } = await buildModules({
    config,
    stores,
    secrets,
    metrics,
    log,
    overrides,
    onAppended: () => runner?.wake('orders-relay'),
  });
  const consumer =
    stores.queue &&
    createConsumer({
      name: 'orders-consumer',
      queue: stores.queue,
      handle: orders.handleMessage,
      onReceived: (ageMs) => metrics.note('QueueAgeSeconds', ageMs / 1000),
      log,
    });
  // a worker is asked by operators only
  const routes = config.roles.web ? [...auth.routes, ...catalog.routes, ...orders.routes] : [];
  const { http, readiness, limiter } = buildHttp({ config, stores, metrics, authenticate: auth.authenticate, routes, log });
  const audits = auditTasks({
    db: stores.db,
    users: auth.audit,
    everyMs: config.audit.intervalMs,
    log,
    onAudited: (findings) => metrics.note('AuditFindings', findings),
  });
  const tasks = tasksHere(config, [auth.tasks, catalog.tasks, orders.tasks, audits, consumer ? [consumer.task] : []]);

  return {
    http,
    routes,
    ...(secrets.adminPasswordFile !== undefined && { adminPasswordFile: secrets.adminPasswordFile }),
    ...(secrets.newAdminPassword !== undefined && { newAdminPassword: secrets.newAdminPassword }),
    start: async () => {
      if (config.stores.mysqlUrl === undefined) await migrate(stores.db);
      await auth.start();
      const work = () => {
        runner = runInBackground(tasks, log);
        readiness.become('ready');
      };
      if ((await pendingMigrations(stores.db)).length === 0) return work();
      readiness.become('migrations-pending');
      migrationWatch = awaitMigrations(stores.db, log, work);
    },
    close: async () => {
      await migrationWatch?.stop();
      await runner?.stop();
      limiter.close();
      metrics.close();
      await consumer?.close();
      await closeStores(stores);
      folder?.close();
    },
  };
}

function tasksHere({ roles }: Config, tasks: readonly (readonly BackgroundTask[])[]): readonly BackgroundTask[] {
  return tasks.flat().filter((task) => task.everywhere === true || roles.worker);
}

interface Parts {
  readonly config: Config;
  readonly stores: Stores;
  readonly secrets: Secrets;
  readonly metrics: ShopMetrics;
  readonly log: Logger;
  readonly overrides: Overrides;
  readonly onAppended: () => void;
}

async function buildModules({ config, stores, secrets, metrics, log, overrides, onAppended }: Parts) {
  const { now = Date.now, orderIntervals } = overrides;
  const { sharing } = stores;
  const auth = await createAuth({
    dynamo: stores.dynamo,
    keys: secrets.keys,
    settings: { ...config.auth, ...(secrets.admin !== undefined && { admin: secrets.admin }) },
    loginFailures: config.rateLimits.enabled ? config.rateLimits.loginFailuresPerAccount : undefined,
    counters: sharing?.counters,
    log,
    now,
  });
  const catalog = createCatalog({
    db: stores.db,
    log,
    now,
    copies: sharing?.copies('products'),
    cache: { onRead: (hit) => metrics.count(hit ? 'CacheHits' : 'CacheMisses') },
  });
  const orders = createOrders({
    db: stores.db,
    catalog: catalog.api,
    auth: auth.api,
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
  return { auth, catalog, orders };
}

/** Somebody runs `npm run migrate` elsewhere: looks until nothing is pending, then calls `done` once. */
function awaitMigrations(db: Database, log: Logger, done: () => void): BackgroundRunner {
  const watch = runInBackground(
    [
      {
        name: 'await-migrations',
        everyMs: migrationWatchMs,
        run: async (stopped) => {
          if ((await pendingMigrations(db)).length > 0 || stopped.aborted) return false;
          done();
          void watch.stop();
          return false;
        },
      },
    ],
    log,
  );
  return watch;
}

import type { Logger } from 'pino';
import { buildHttp } from './app-http.ts';
import { type Modules, type Overrides, placeModules } from './app-modules.ts';
import { closeStores, gatherSecrets, openStores, type Stores, usesDataFolder } from './app-stores.ts';
import { auditTasks } from './audit-task.ts';
import { type BackgroundRunner, type BackgroundTask, runInBackground } from './shared/background.ts';
import type { Config } from './shared/config.ts';
import { createContractServer } from './shared/contract-server.ts';
import { openDataFolder } from './shared/data-folder.ts';
import type { Database } from './shared/database.ts';
import type { HttpServer } from './shared/http-server.ts';
import { createLoadLimiter } from './shared/load-limiter.ts';
import { migrate, pendingMigrations } from './shared/migrations.ts';
import { type Consumer, createConsumer } from './shared/queue-consumer.ts';
import type { Route } from './shared/route.ts';
import { createPatience } from './shared/wait-for-stores.ts';
import { createShopMetrics, type ShopMetrics } from './shop-metrics.ts';

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
  /**
   * Migrates embedded storage, makes the first admin, starts the background tasks and becomes ready. Waits for stores and services
   * that are down; rejects when it is closed meanwhile. @throws why it can't start
   */
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
  const stores = await openStores({ config, folder, metrics, log, wrap: overrides.wrapStores });
  const secrets = config.modules.auth ? gatherSecrets(config, folder) : undefined;
  let runner: BackgroundRunner | undefined;
  let migrationWatch: BackgroundRunner | undefined;
  const patience = createPatience(log);

  const modules = await placeModules({
    config,
    stores,
    secrets,
    metrics,
    log,
    overrides,
    onAppended: () => runner?.wake('orders-relay'),
  });
  const { auth, catalog, orders } = modules;
  const consumer = consumerOf({ stores, modules, metrics, log });
  const present = [auth, catalog, orders].filter((module) => module !== undefined);
  // a worker is asked by operators only
  const routes = config.roles.web ? present.flatMap((module) => module.routes) : [];
  const { http, readiness, limiter } = buildHttp({
    config,
    stores,
    checks: checksOfServices(modules),
    metrics,
    limiter: overrides.limiter ?? createLoadLimiter({ log }),
    authenticate: auth.authenticate,
    routes,
    log,
  });
  const audit = scheduledAudit({ config, stores, modules, metrics, log });
  const tasks = tasksHere(config, overrides, [...present.map((module) => module.tasks), consumer ? [consumer.task] : [], audit]);
  const internal = internalServer({ config, modules, log });

  return {
    http,
    routes,
    ...(secrets?.adminPasswordFile !== undefined && { adminPasswordFile: secrets.adminPasswordFile }),
    ...(secrets?.newAdminPassword !== undefined && { newAdminPassword: secrets.newAdminPassword }),
    start: async () => {
      const { db } = stores;
      if (db !== undefined && config.stores.mysqlUrl === undefined) await migrate(db);
      await patience.untilAvailable(auth.start);
      const work = async () => {
        await internal?.listen();
        runner = runInBackground(tasks, log);
        readiness.become('ready');
      };
      if (db === undefined || (await patience.untilAvailable(() => pendingMigrations(db))).length === 0) return work();
      readiness.become('migrations-pending');
      migrationWatch = awaitMigrations(db, log, work);
    },
    close: async () => {
      patience.end();
      await migrationWatch?.stop();
      await runner?.stop();
      limiter.close();
      metrics.close();
      await consumer?.close();
      await internal?.close();
      for (const module of [auth, catalog]) module?.close?.();
      await closeStores(stores);
      folder?.close();
    },
  };
}

function tasksHere(
  { roles }: Config,
  { chooseTasks = (tasks) => tasks }: Overrides,
  tasks: readonly (readonly BackgroundTask[])[],
): readonly BackgroundTask[] {
  return chooseTasks(tasks.flat().filter((task) => task.everywhere === true || roles.worker));
}

interface Built {
  readonly stores: Stores;
  readonly modules: Modules;
  readonly metrics: ShopMetrics;
  readonly log: Logger;
}

function consumerOf({ stores: { queue }, modules: { orders }, metrics, log }: Built): Consumer | undefined {
  if (queue === undefined || orders === undefined) return undefined;
  const onReceived = (ageMs: number) => metrics.note('QueueAgeSeconds', ageMs / 1000);
  return createConsumer({ name: 'orders-consumer', queue, handle: orders.handleMessage, onReceived, log });
}

/** Of the modules that run elsewhere. */
function checksOfServices({ auth, catalog }: Modules) {
  return { ...(auth.check && { auth: auth.check }), ...(catalog?.check && { catalog: catalog.check }) };
}

/** For other services, where somebody may call; it listens when the process is ready. A worker is called by nobody. */
function internalServer({
  config: { services, roles, http },
  modules: { contracts },
  log,
}: {
  config: Config;
  modules: Modules;
  log: Logger;
}): { listen(): Promise<unknown>; close(): Promise<void> } | undefined {
  const { internalPort: port, tokens } = services;
  if (port === undefined || !roles.web) return undefined;
  const server = createContractServer({ contracts, tokens, log });
  return { listen: () => server.listen({ port, host: http.host }), close: server.close };
}

/** Where all tables are at hand; services of their own are audited by `npm run audit`. */
function scheduledAudit({
  config,
  stores: { db },
  modules: { auth },
  metrics,
  log,
}: Built & { readonly config: Config }): readonly BackgroundTask[] {
  if (db === undefined || !config.modules.catalog || !config.modules.orders) return [];
  return auditTasks({
    db,
    users: auth.audit,
    everyMs: config.audit.intervalMs,
    log,
    onAudited: (findings) => metrics.note('AuditFindings', findings),
  });
}

/** Somebody runs `npm run migrate` elsewhere: looks until nothing is pending, then calls `done` once. */
function awaitMigrations(db: Database, log: Logger, done: () => Promise<void>): BackgroundRunner {
  const watch = runInBackground(
    [
      {
        name: 'await-migrations',
        everyMs: migrationWatchMs,
        run: async (stopped) => {
          if ((await pendingMigrations(db)).length > 0 || stopped.aborted) return false;
          await done();
          void watch.stop();
          return false;
        },
      },
    ],
    log,
  );
  return watch;
}

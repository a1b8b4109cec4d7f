import { join } from 'node:path';
import type { Logger } from 'pino';
import program from '../package.json' with { type: 'json' };
import { type Crashing, createCrashing } from './crash-points.ts';
import { createAuth, makeJwtKey, makePassword, makePepper, makeRefreshKey } from './modules/auth/index.ts';
import { createCatalog } from './modules/catalog/index.ts';
import { createOrders, type OrdersDependencies } from './modules/orders/index.ts';
import { problemGuides } from './problem-guides.ts';
import { type BackgroundRunner, runInBackground } from './shared/background.ts';
import { adminPasswordFileName, adminUsername, type Config, sqliteFileName } from './shared/config.ts';
import { type DataFolder, openDataFolder } from './shared/data-folder.ts';
import { type Database, openMysql, openSqlite } from './shared/database.ts';
import { type Dynamo, openDynamo } from './shared/dynamo.ts';
import { openEmbeddedDynamo } from './shared/embedded-dynamo.ts';
import { createFront } from './shared/http-front.ts';
import type { QuotaRules } from './shared/http-quota.ts';
import { createHttpServer, type HttpServer } from './shared/http-server.ts';
import { migrate, pendingMigrations } from './shared/migrations.ts';
import type { ServiceInfo } from './shared/openapi-document.ts';
import { createConsumer } from './shared/queue-consumer.ts';
import { createReadiness, type StoreCheck } from './shared/readiness.ts';
import type { Sharing } from './shared/sharing.ts';
import { createSqsQueue, type SqsQueue } from './shared/sqs-queue.ts';

/** What tests may put in the place of the real thing. */
export interface Overrides {
  /** milliseconds since 1970 */
  readonly now?: () => number;
  readonly orderIntervals?: NonNullable<OrdersDependencies['intervals']>;
}

export interface AppOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly overrides?: Overrides;
}

export interface App {
  readonly http: HttpServer;
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
  const now = overrides.now ?? Date.now;
  const folder = usesDataFolder(config) ? openDataFolder(config.stores.dataDir) : undefined;
  const stores = await openStores({ config, folder, log });
  const { sharing } = stores;
  const secrets = gatherSecrets(config, folder);

  let runner: BackgroundRunner | undefined;
  let migrationWatch: BackgroundRunner | undefined;

  const auth = await createAuth({
    dynamo: stores.dynamo,
    keys: secrets.keys,
    settings: { ...config.auth, ...(secrets.admin !== undefined && { admin: secrets.admin }) },
    loginFailures: config.rateLimits.enabled ? config.rateLimits.loginFailuresPerAccount : undefined,
    counters: sharing?.counters,
    log,
    now,
  });
  const catalog = createCatalog({ db: stores.db, log, now, copies: sharing?.copies('products') });
  const orders = createOrders({
    db: stores.db,
    catalog: catalog.api,
    auth: auth.api,
    log,
    now,
    onAppended: () => runner?.wake('orders-relay'),
    ...(stores.queue !== undefined && { queue: stores.queue }),
    ...(overrides.orderIntervals !== undefined && { intervals: overrides.orderIntervals }),
  });

  const consumer =
    stores.queue && createConsumer({ name: 'orders-consumer', queue: stores.queue, handle: orders.handleMessage, log });
  const readiness = createReadiness({ checks: checksOf(stores), log });
  const handler = createFront({
    routes: [...auth.routes, ...catalog.routes, ...orders.routes],
    authenticate: auth.authenticate,
    ...(config.rateLimits.enabled && { quotas: quotasOf(config) }),
    ...(sharing !== undefined && { counters: sharing.quotas }),
    trustProxyHops: config.http.trustProxyHops,
    corsOrigins: config.http.corsOrigins,
    readiness,
    info: serviceInfo(),
    guides: problemGuides,
    log,
  });
  const allTasks = [...auth.tasks, ...catalog.tasks, ...orders.tasks, ...(consumer ? [consumer.task] : [])];
  const tasks = allTasks.filter((task) => task.everywhere === true || config.roles.worker);

  return {
    http: createHttpServer({ handler: stores.crashing.handler(handler), readiness, log }),
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
      await consumer?.close();
      await closeStores(stores);
      folder?.close();
    },
  };
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

function usesDataFolder({ stores, auth }: Config): boolean {
  const secretsGiven = auth.jwtPrivateKeys !== undefined && auth.refreshKeys !== undefined && auth.passwordPepper !== undefined;
  return stores.mysqlUrl === undefined || stores.dynamo === undefined || !secretsGiven;
}

interface Stores {
  readonly db: Database;
  readonly dynamo: Dynamo;
  /** absent: events are delivered inside the process */
  readonly queue?: SqsQueue;
  /** absent: the process keeps copies and counts for itself */
  readonly sharing?: Sharing;
  readonly crashing: Crashing;
}

async function openStores({
  config: { stores, crashAt },
  folder,
  log,
}: {
  config: Config;
  folder: DataFolder | undefined;
  log: Logger;
}): Promise<Stores> {
  const crashing = createCrashing(crashAt);
  const inFolder = (name: string) => join(folder?.path ?? stores.dataDir, name);
  const db =
    stores.mysqlUrl === undefined
      ? await openSqlite({ file: inFolder(sqliteFileName) })
      : await openMysql({ url: stores.mysqlUrl });
  const dynamo =
    stores.dynamo === undefined ? await openEmbeddedDynamo(folder?.path ?? stores.dataDir) : await openDynamo(stores.dynamo);
  // Loaded only where it is used: a start without it need not wait.
  const sharing = stores.redisUrl && (await (await import('./shared/sharing.ts')).openSharing(stores.redisUrl, log));
  return {
    db: crashing.database(db),
    crashing,
    dynamo,
    ...(stores.sqs !== undefined && { queue: createSqsQueue(stores.sqs) }),
    ...(sharing && { sharing }),
  };
}

async function closeStores({ db, dynamo, queue, sharing }: Stores): Promise<void> {
  queue?.close();
  await sharing?.close();
  await dynamo.close();
  await db.close();
}

function checksOf({ db, dynamo, queue, sharing }: Stores): Readonly<Record<string, StoreCheck>> {
  return {
    sql: () => db.rows('SELECT 1'),
    users: () => dynamo.ping(),
    ...(queue !== undefined && { events: queue.ping }),
    ...(sharing !== undefined && { cache: () => sharing.ping() }),
  };
}

/** Secrets come from the environment, or are made once and kept in the data folder. */
function gatherSecrets({ auth, stores }: Config, folder: DataFolder | undefined) {
  const keep = (name: string, make: () => string): string => {
    if (folder === undefined) throw new Error(`There is no data folder to keep ${name} in.`);
    return folder.keep(name, make);
  };
  const keys = {
    jwtPrivateKeys: auth.jwtPrivateKeys ?? [keep('jwt-private-key.pem', makeJwtKey)],
    refreshKeys: auth.refreshKeys ?? [keep('refresh-key', makeRefreshKey)],
    passwordPepper: auth.passwordPepper ?? keep('password-pepper', makePepper),
  };
  if (auth.admin !== undefined || stores.dynamo !== undefined) return { keys, admin: auth.admin };
  let newAdminPassword: string | undefined;
  const password = keep(adminPasswordFileName, () => {
    const made = makePassword();
    newAdminPassword = made;
    return made;
  });
  return {
    keys,
    admin: { username: adminUsername, password: password.trim() },
    adminPasswordFile: join(folder?.path ?? stores.dataDir, adminPasswordFileName),
    newAdminPassword,
  };
}

function quotasOf({ rateLimits }: Config): QuotaRules {
  return {
    browsing: { ...rateLimits.browsing, per: 'address' },
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

import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Crashing, createCrashing } from './crash-points.ts';
import { type AuthDependencies, makeJwtKey, makePassword, makePepper, makeRefreshKey } from './modules/auth/index.ts';
import { adminPasswordFileName, adminUsername, type Config, keptKeyFiles, sqliteFileName } from './shared/config.ts';
import { splitList } from './shared/config-fields.ts';
import type { DataFolder } from './shared/data-folder.ts';
import { type Database, openMysql, openSqlite } from './shared/database.ts';
import { type Dynamo, openDynamo } from './shared/dynamo.ts';
import { openEmbeddedDynamo } from './shared/embedded-dynamo.ts';
import { pemBlocks } from './shared/pem-blocks.ts';
import type { StoreCheck } from './shared/readiness.ts';
import type { Sharing } from './shared/sharing.ts';
import { createSqsQueue, type SqsQueue } from './shared/sqs-queue.ts';
import { openTracing, type Tracing, traceDatabase, traceDynamo } from './shared/tracing.ts';
import type { ShopMetrics } from './shop-metrics.ts';

/** Where the configuration says that the shop keeps things: stores, and secrets that it makes up itself. */

export interface Stores {
  /** absent: no module of this process keeps anything in it */
  readonly db?: Database;
  readonly dynamo?: Dynamo;
  /** absent: events are delivered inside the process */
  readonly queue?: SqsQueue;
  /** absent: the process keeps copies and counts for itself */
  readonly sharing?: Sharing;
  /** absent: nothing is traced */
  readonly tracing?: Tracing;
  readonly crashing: Crashing;
}

export async function openStores({
  config: { stores, modules, crashAt, tracing: collector },
  folder,
  metrics,
  log,
  wrap = (opened) => opened,
}: {
  config: Config;
  folder: DataFolder | undefined;
  metrics: ShopMetrics;
  log: Logger;
  /** what a test puts between the shop and these stores */
  wrap?: ((opened: Pick<Stores, 'db' | 'dynamo'>) => Pick<Stores, 'db' | 'dynamo'>) | undefined;
}): Promise<Stores> {
  const crashing = createCrashing(crashAt);
  const inFolder = (name: string) => join(folder?.path ?? stores.dataDir, name);
  const openDatabase = () =>
    stores.mysqlUrl === undefined
      ? openSqlite({ file: inFolder(sqliteFileName) })
      : openMysql({ url: stores.mysqlUrl, onWaited: (ms) => metrics.note('PoolWaitMs', ms) });
  const db = modules.catalog || modules.orders ? await openDatabase() : undefined;
  const openUsers = () =>
    stores.dynamo === undefined ? openEmbeddedDynamo(folder?.path ?? stores.dataDir) : openDynamo(stores.dynamo);
  const dynamo = modules.auth ? await openUsers() : undefined;
  // Loaded only where it is used: a start without it need not wait.
  const sharing = stores.redisUrl && (await (await import('./shared/sharing.ts')).openSharing(stores.redisUrl, log));
  const tracing = collector && (await openTracing(collector));
  if (tracing && dynamo) traceDynamo(dynamo, tracing);
  return {
    ...wrap({ ...(db && { db: crashing.database(tracing ? traceDatabase(db, tracing) : db) }), ...(dynamo && { dynamo }) }),
    ...(tracing && { tracing }),
    crashing,
    ...(stores.sqs !== undefined && modules.orders && { queue: createSqsQueue(stores.sqs) }),
    ...(sharing && { sharing }),
  };
}

export async function closeStores({ db, dynamo, queue, sharing, tracing }: Stores): Promise<void> {
  await tracing?.close().catch(() => {}); // a collector that is down
  queue?.close();
  await sharing?.close();
  await dynamo?.close();
  await db?.close();
}

export function checksOf({ db, dynamo, queue, sharing }: Stores): Readonly<Record<string, StoreCheck>> {
  return {
    ...(db !== undefined && { sql: () => db.rows('SELECT 1') }),
    ...(dynamo !== undefined && { users: () => dynamo.ping() }),
    ...(queue !== undefined && { events: queue.ping }),
    ...(sharing !== undefined && { cache: () => sharing.ping() }),
  };
}

export function usesDataFolder({ stores, modules, auth }: Config): boolean {
  const secretsGiven = auth.jwtPrivateKeys !== undefined && auth.refreshKeys !== undefined && auth.passwordPepper !== undefined;
  const sql = (modules.catalog || modules.orders) && stores.mysqlUrl === undefined;
  return sql || (modules.auth && (stores.dynamo === undefined || !secretsGiven));
}

export interface Secrets {
  readonly keys: AuthDependencies['keys'];
  readonly admin?: { readonly username: string; readonly password: string } | undefined;
  readonly adminPasswordFile?: string;
  readonly newAdminPassword?: string | undefined;
}

/** Secrets come from the environment, or are made once and kept in the data folder. */
export function gatherSecrets({ auth, stores }: Config, folder: DataFolder | undefined): Secrets {
  const keep = (name: string, make: () => string): string => {
    if (folder === undefined) throw new Error(`There is no data folder to keep ${name} in.`);
    return folder.keep(name, make);
  };
  const keys = {
    jwtPrivateKeys: auth.jwtPrivateKeys ?? pemBlocks(keep(keptKeyFiles.access, makeJwtKey), keptKeyFiles.access),
    refreshKeys: auth.refreshKeys ?? splitList(keep(keptKeyFiles.refresh, makeRefreshKey)),
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

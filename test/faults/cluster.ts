import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { type Database, openMysql } from '../../src/shared/database.ts';
import { migrate } from '../../src/shared/migrations.ts';
import type { Balancer } from './balancer.ts';
import { type ClusterShop, type Ground, proxiesOf, startAlike } from './cluster-shops.ts';
import { type Keeper, startKeeper } from './keeper.ts';
import type { ManagedProgram } from './managed-program.ts';
import { startServices } from './service-processes.ts';
import type { Proxies } from './store-proxy.ts';
import {
  createDynamoServer,
  createMariaDb,
  createQueueServer,
  createRedisServer,
  type Stores,
  tablePrefix,
} from './store-servers.ts';

/** Several processes of the shop on one set of stores, all of them to be killed, and everything gone when the run is. */
export interface Cluster {
  readonly folder: string;
  readonly keeper: Keeper;
  readonly stores: Stores;
  readonly shops: readonly ClusterShop[];
  /** what clients are told */
  readonly url: string;
  readonly admin: { readonly username: string; readonly password: string };
  readonly queues: { readonly queueUrl: string; readonly deadLetterQueueUrl: string };
  /** the shop's database without a proxy; for who looks on */
  readonly db: Database;
  /** of the shop's database, for an administrator who does harm */
  readonly databaseUrl: string;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly processes: number;
  /** the program of a process, from the root of the repository */
  readonly program: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly maxReceives?: number;
  /** puts the database on a file system in memory of this size, which takes root and Linux */
  readonly smallDiskMegabytes?: number;
  /** a service for each module, behind a balancer that routes by path, in the place of `processes` that are all alike */
  readonly services?: boolean;
}

const databaseName = 'shop';
const plainUser = 'plain';

export async function startCluster({
  processes,
  program,
  env = {},
  maxReceives = 5,
  smallDiskMegabytes,
  services = false,
}: ClusterOptions): Promise<Cluster> {
  const keeper = startKeeper();
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  keeper.keepFolder(folder);
  try {
    const place = (name: string) => ({ keeper, folder: join(folder, name) });
    if (smallDiskMegabytes !== undefined) mountSmallDisk(keeper, join(folder, 'mariadb'), smallDiskMegabytes);
    const stores: Stores = {
      mysql: await createMariaDb(place('mariadb'), smallDiskMegabytes === undefined ? [] : smallLogs),
      redis: await createRedisServer(place('redis')),
      dynamo: await createDynamoServer(place('dynamo')),
      sqs: await createQueueServer(place('sqs')),
    };
    await Promise.all(Object.values(stores).map((store: ManagedProgram) => store.start()));
    const queues = await stores.sqs.createQueues(maxReceives);
    const { databaseUrl, shopUrl } = await createDatabase(stores.mysql.url);
    const db = await openMysql({ url: databaseUrl, poolMax: 4 });
    await migrate(db);
    const common = { ...secrets(), ...env };
    const reach = (proxies: Proxies) => reaching(proxies, { shopUrl, queueUrl: queues.queueUrl });
    const ground: Ground = { keeper, folder, program, stores, reach, common };
    const { shops, balancer } = services ? await startServices(ground) : await startAlike(ground, processes);
    const admin = { username: common.ADMIN_USERNAME, password: common.ADMIN_PASSWORD };
    return {
      ...{ folder, keeper, stores, shops, url: balancer.url, admin, queues, db, databaseUrl },
      close: () => closeCluster({ shops, balancer, db, stores, keeper }),
    };
  } catch (error) {
    await keeper.close();
    throw error;
  }
}

const smallLogs = ['--innodb-log-file-size=8M'];

/** @throws without the right to do it */
function mountSmallDisk(keeper: Keeper, folder: string, megabytes: number): void {
  mkdirSync(folder);
  keeper.keepMount(folder);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`a small file system can not be mounted: ${stderr}`);
}

async function closeCluster({
  shops,
  balancer,
  db,
  stores,
  keeper,
}: Pick<Cluster, 'shops' | 'db' | 'stores' | 'keeper'> & { balancer: Balancer }): Promise<void> {
  await balancer.close();
  await Promise.all(shops.map((shop) => shop.kill()));
  await Promise.all(shops.flatMap(proxiesOf).map((proxy) => proxy.close()));
  await db.close();
  stores.sqs.sqs.destroy();
  await Promise.all(Object.values(stores).map((store: ManagedProgram) => store.kill()));
  await keeper.close();
}

/** The shop's own user is no administrator of the server, as in production. */
async function createDatabase(server: string): Promise<{ readonly databaseUrl: string; readonly shopUrl: string }> {
  const connection = await mysql.createConnection(server);
  const { password } = new URL(server);
  await connection.query(`CREATE DATABASE ${databaseName}`);
  await connection.query(`CREATE USER '${plainUser}'@'127.0.0.1' IDENTIFIED BY '${password}'`);
  await connection.query(`GRANT ALL ON ${databaseName}.* TO '${plainUser}'@'127.0.0.1'`);
  await connection.end();
  const databaseUrl = Object.assign(new URL(server), { pathname: `/${databaseName}` });
  return { databaseUrl: databaseUrl.href, shopUrl: Object.assign(new URL(databaseUrl), { username: plainUser }).href };
}

function reaching(proxies: Proxies, { shopUrl, queueUrl }: { shopUrl: string; queueUrl: string }) {
  return {
    MYSQL_URL: Object.assign(new URL(shopUrl), { port: String(proxies.mysql.port) }).href,
    REDIS_URL: `redis://127.0.0.1:${proxies.redis.port}`,
    DYNAMODB_ENDPOINT: `http://127.0.0.1:${proxies.dynamo.port}`,
    DYNAMODB_TABLE_PREFIX: tablePrefix,
    SQS_QUEUE_URL: queueUrl,
    SQS_ENDPOINT: `http://127.0.0.1:${proxies.sqs.port}`,
  };
}

/** As production has them, the same for all processes; only hashing is cheap, so that sign-ins do not drown the rest. */
function secrets() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    JWT_PRIVATE_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    REFRESH_KEYS: randomBytes(32).toString('base64url'),
    PASSWORD_PEPPER: randomBytes(32).toString('base64url'),
    ADMIN_USERNAME: 'admin',
    ADMIN_PASSWORD: `the first of all, ${randomBytes(12).toString('base64url')}`,
    BCRYPT_COST: '4',
  };
}

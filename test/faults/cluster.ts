import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { type Database, openMysql } from '../../src/shared/database.ts';
import { migrate } from '../../src/shared/migrations.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type Keeper, startKeeper } from './keeper.ts';
import type { ManagedProgram } from './managed-program.ts';
import { createShopProcess, type ShopProcess } from './shop-process.ts';
import { type Proxies, startStoreProxy } from './store-proxy.ts';
import {
  createDynamoServer,
  createMariaDb,
  createQueueServer,
  createRedisServer,
  type DynamoServer,
  type MariaDb,
  type QueueServer,
  type StoreServer,
} from './store-servers.ts';

/** Several processes of the shop on one set of stores, all of them to be killed, and everything gone when the run is. */
export interface Cluster {
  readonly folder: string;
  readonly keeper: Keeper;
  readonly stores: Stores;
  readonly shops: readonly ShopProcess[];
  /** what clients are told */
  readonly url: string;
  readonly admin: { readonly username: string; readonly password: string };
  readonly queues: { readonly queueUrl: string; readonly deadLetterQueueUrl: string };
  /** the shop's database without a proxy; for who looks on */
  readonly db: Database;
  /** of the shop's database, for connections that do harm */
  readonly databaseUrl: string;
  close(): Promise<void>;
}

export interface Stores {
  readonly mysql: MariaDb;
  readonly redis: StoreServer;
  readonly dynamo: DynamoServer;
  readonly sqs: QueueServer;
}

export interface ClusterOptions {
  readonly processes: number;
  /** the program of a process, from the root of the repository */
  readonly program: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly maxReceives?: number;
}

const databaseName = 'shop';

export async function startCluster({ processes, program, env = {}, maxReceives = 5 }: ClusterOptions): Promise<Cluster> {
  const keeper = startKeeper();
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  keeper.keepFolder(folder);
  try {
    const place = (name: string) => ({ keeper, folder: join(folder, name) });
    const stores: Stores = {
      mysql: await createMariaDb(place('mariadb')),
      redis: await createRedisServer(place('redis')),
      dynamo: await createDynamoServer(place('dynamo')),
      sqs: await createQueueServer(place('sqs')),
    };
    await Promise.all(Object.values(stores).map((store: ManagedProgram) => store.start()));
    const queues = await stores.sqs.createQueues(maxReceives);
    const databaseUrl = await createDatabase(stores.mysql.url);
    const db = await openMysql({ url: databaseUrl, poolMax: 4 });
    await migrate(db);
    const common = { ...secrets(), ...env };
    const shops: ShopProcess[] = [];
    for (let number = 1; number <= processes; number++) {
      const proxies = await startProxies(stores);
      const reaching = reach(proxies, { databaseUrl, queueUrl: queues.queueUrl });
      shops.push(await createShopProcess({ number, keeper, folder, program, proxies, env: { ...common, ...reaching } }));
    }
    // the tables of DynamoDB are made by the first one
    for (const shop of shops) await shop.start();
    const balancer = await startBalancer(shops.map(({ port }) => port));
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

async function closeCluster({
  shops,
  balancer,
  db,
  stores,
  keeper,
}: Pick<Cluster, 'shops' | 'db' | 'stores' | 'keeper'> & { balancer: Balancer }): Promise<void> {
  await balancer.close();
  await Promise.all(shops.map((shop) => shop.kill()));
  await Promise.all(shops.flatMap(({ proxies }) => Object.values(proxies).map((proxy) => proxy.close())));
  await db.close();
  stores.sqs.sqs.destroy();
  await Promise.all(Object.values(stores).map((store: ManagedProgram) => store.kill()));
  await keeper.close();
}

async function createDatabase(server: string): Promise<string> {
  const connection = await mysql.createConnection(server);
  await connection.query(`CREATE DATABASE ${databaseName}`);
  await connection.end();
  return Object.assign(new URL(server), { pathname: `/${databaseName}` }).href;
}

async function startProxies(stores: Stores): Promise<Proxies> {
  return {
    mysql: await startStoreProxy(stores.mysql.port, 'mysql'),
    redis: await startStoreProxy(stores.redis.port, 'bytes'),
    dynamo: await startStoreProxy(stores.dynamo.port, 'http'),
    sqs: await startStoreProxy(stores.sqs.port, 'http'),
  };
}

function reach(proxies: Proxies, { databaseUrl, queueUrl }: { databaseUrl: string; queueUrl: string }) {
  return {
    MYSQL_URL: Object.assign(new URL(databaseUrl), { port: String(proxies.mysql.port) }).href,
    REDIS_URL: `redis://127.0.0.1:${proxies.redis.port}`,
    DYNAMODB_ENDPOINT: `http://127.0.0.1:${proxies.dynamo.port}`,
    DYNAMODB_TABLE_PREFIX: 'faults-',
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

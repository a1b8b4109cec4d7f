import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { type Database, openMysql } from '../src/shared/database.ts';
import { migrate } from '../src/shared/migrations.ts';
import type { Keeper } from '../test/faults/keeper.ts';
import {
  createDynamoServer,
  createMariaDb,
  createRedisServer,
  type DynamoServer,
  type MariaDb,
  type StoreServer,
} from '../test/faults/store-servers.ts';
import { fillShop } from './fill-shop.ts';

/** The servers of production, durable at every commit, with a filled database for the shop and one for each baseline. */
export interface BenchStores {
  readonly mariadb: MariaDb;
  readonly redis: StoreServer;
  readonly dynamo: DynamoServer;
  /** An empty shop of that name with products only: as many as in all databases, unless whoever asks first says it. */
  database(name: string, products?: number): Promise<FilledDatabase>;
  /** statements that clients have sent to the server so far, but those that ask for this number */
  statements(): Promise<number>;
  close(): Promise<void>;
}

export interface FilledDatabase {
  readonly url: string;
  readonly db: Database;
  readonly productIds: readonly string[];
}

export async function startBenchStores({
  keeper,
  folder,
  products,
  mariaDbSettings = [],
}: {
  readonly keeper: Keeper;
  readonly folder: string;
  readonly products: number;
  readonly mariaDbSettings?: readonly string[];
}): Promise<BenchStores> {
  const place = (name: string) => ({ keeper, folder: join(folder, name) });
  const mariadb = await createMariaDb(place('mariadb'), mariaDbSettings);
  const redis = await createRedisServer(place('redis'));
  const dynamo = await createDynamoServer(place('dynamo'));
  await Promise.all([mariadb.start(), redis.start(), dynamo.start()]);
  const administrator = await mysql.createConnection(mariadb.url);
  const databases = new Map<string, Promise<FilledDatabase>>();
  let asked = 0;
  return {
    mariadb,
    redis,
    dynamo,
    database: (name, many = products) => {
      const found = databases.get(name) ?? createDatabase({ administrator, server: mariadb.url, name, products: many });
      databases.set(name, found);
      return found;
    },
    statements: async () => {
      asked += 1;
      const [rows] = await administrator.query<mysql.RowDataPacket[]>(`SHOW GLOBAL STATUS LIKE 'Questions'`);
      return Number(rows[0]?.Value) - asked;
    },
    close: async () => {
      for (const database of databases.values()) await (await database).db.close();
      await administrator.end();
      await Promise.all([mariadb.kill(), redis.kill(), dynamo.kill()]);
    },
  };
}

async function createDatabase({
  administrator,
  server,
  name,
  products,
}: {
  administrator: mysql.Connection;
  server: string;
  name: string;
  products: number;
}): Promise<FilledDatabase> {
  await administrator.query(`CREATE DATABASE ${name}`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const db = await openMysql({ url, poolMax: 2 });
  return { url, db, productIds: await fillWithProducts(db, products) };
}

/** Makes the tables, and products with more stock than any run can sell. Answers their ids. */
export async function fillWithProducts(db: Database, products: number): Promise<readonly string[]> {
  await migrate(db);
  await fillShop(db, { orders: 0, products, now: Date.now(), everyMs: 1 });
  const rows = await db.rows<{ id: string }>('SELECT id FROM catalog_products ORDER BY id');
  return rows.map(({ id }) => id);
}

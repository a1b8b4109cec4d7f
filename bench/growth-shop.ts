import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { openMysql } from '../src/shared/database.ts';
import type { Keeper } from '../test/faults/keeper.ts';
import { type BenchShop, type Entered, enter, startShop } from './bench-shop.ts';
import type { BenchStores } from './bench-stores.ts';
import { fillShop } from './fill-shop.ts';

/** A shop with as many products as orders, of a year. */
export interface GrownShop {
  readonly size: number;
  readonly shop: BenchShop;
  /** products in no order, each once */
  readonly products: readonly GrownProduct[];
  /** orders in no order */
  readonly orderIds: readonly string[];
  readonly seconds: { readonly fill: number };
  /** signed in anew; the tokens are good for 15 minutes */
  signIn(): Promise<Tokens>;
  used(): Promise<Used>;
  close(): Promise<void>;
}

export interface GrownProduct {
  readonly id: string;
  readonly sku: string;
  readonly nameKey: string;
}

export interface Tokens {
  readonly staff: Entered;
  /** of 20 orders */
  readonly typical: Entered;
  /** of a tenth of all orders */
  readonly great: Entered;
}

/** What a shop has used since its start: processor time of its process and of its sessions in the database, rows that they read. */
export interface Used {
  readonly shopMicroseconds: number;
  readonly databaseMicroseconds: number;
  readonly rows: number;
}

export const typicalOrders = 20;
const yearMs = 365 * 86_400_000;
const sampleSize = 3000;
const perLookUp = 500;

export interface GrownShopOptions {
  readonly keeper: Keeper;
  /** where the built shop is */
  readonly built: string;
  readonly folder: string;
  readonly stores: BenchStores;
  readonly size: number;
}

/** Opens a shop, signs its customers up, fills its database behind its back, and opens it again. */
export async function startGrownShop({ keeper, built, folder, stores, size }: GrownShopOptions): Promise<GrownShop> {
  const name = `growth_${size}`;
  mkdirSync(folder, { recursive: true });
  const { url, db } = await stores.database(name);
  const administrator = await mysql.createConnection(stores.mariadb.url);
  // a user of its own: the server counts by user
  const own = Object.assign(new URL(url), { username: name });
  await administrator.query(`CREATE USER ?@'127.0.0.1' IDENTIFIED BY '${own.password}'`, [name]);
  await administrator.query(`GRANT ALL ON ${name}.* TO ?@'127.0.0.1'`, [name]);
  const shop = await startShop({ keeper, built, folder, stores, database: name, settings: { MYSQL_URL: own.href } });
  const [typical, great] = [await enter(shop.url, 'typical', 'register'), await enter(shop.url, 'great', 'register')];
  await shop.process.kill('SIGTERM');

  const startedAt = performance.now();
  await inBulk(administrator, name, async () => {
    const every = Math.max(1, Math.floor(size / typicalOrders));
    const customerOf = (number: number) => {
      if (number % every === 1 && number / every < typicalOrders) return typical.id;
      return number % 10 === 0 ? great.id : undefined;
    };
    await fillShop(db, { orders: size, products: size, now: Date.now(), everyMs: yearMs / size, customerOf });
  });
  const seconds = { fill: (performance.now() - startedAt) / 1000 };
  await shop.process.start();
  return {
    ...{ size, shop, seconds },
    products: await readProducts(db, size),
    orderIds: await readOrderIds(db),
    signIn: async () => ({
      staff: await enter(shop.url, 'admin', 'login'),
      typical: await enter(shop.url, 'typical', 'login'),
      great: await enter(shop.url, 'great', 'login'),
    }),
    used: async () => ({
      shopMicroseconds: cpuMicroseconds(shop.process.pid()),
      ...(await usedByUser(administrator, name)),
    }),
    close: async () => {
      await shop.close();
      await administrator.end();
    },
  };
}

/** The index of words is made at once afterwards, and nothing is made durable meanwhile: minutes instead of an hour. */
async function inBulk(administrator: mysql.Connection, database: string, fill: () => Promise<void>): Promise<void> {
  const table = `${database}.catalog_search`;
  await administrator.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0');
  await administrator.query(`ALTER TABLE ${table} DROP INDEX catalog_search_words`);
  await fill();
  await administrator.query(`ALTER TABLE ${table} ADD FULLTEXT KEY catalog_search_words (words)`);
  const [tables] = await administrator.query<mysql.RowDataPacket[]>(`SHOW TABLES FROM ${database}`);
  for (const [one] of tables.map((row) => Object.values(row))) await administrator.query(`ANALYZE TABLE ${database}.${one}`);
  await administrator.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
}

/** Every step-th number, so that all ages come up; neighbours are far from each other. */
function sampleOf(size: number): readonly number[] {
  const count = Math.min(size, sampleSize);
  return Array.from({ length: count }, (_, index) => Math.floor((((index * 1009) % count) * size) / count));
}

async function readProducts(db: BenchShop['db'], size: number): Promise<readonly GrownProduct[]> {
  const skus = [...new Set(sampleOf(size))].map((number) => `SKU-${number}`);
  const found = new Map<string, GrownProduct>();
  for (let done = 0; done < skus.length; done += perLookUp) {
    const some = skus.slice(done, done + perLookUp);
    const rows = await db.rows<GrownProduct>(
      `SELECT id, sku, name_key AS nameKey FROM catalog_products WHERE live_sku IN (${some.map(() => '?').join()})`,
      some,
    );
    for (const row of rows) found.set(row.sku, row);
  }
  return skus.map((sku) => found.get(sku)).filter((product) => product !== undefined);
}

async function readOrderIds(db: BenchShop['db']): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let step = 1; step <= 100; step++) {
    // behind the oldest there would be less than a page
    const back = 0.8 * (1 - step / 101) * yearMs;
    const at = new Date(Date.now() - back).toISOString().replace('T', ' ').slice(0, -1);
    const [row] = await db.rows<{ id: string }>(
      'SELECT id FROM orders_orders WHERE created_at >= ? ORDER BY created_at LIMIT 1',
      [at],
    );
    if (row !== undefined) ids.push(row.id);
  }
  return ids.map((_, index) => ids[(index * 37) % ids.length] ?? '');
}

/** Of all threads, in the nanoseconds of the scheduler (proc(5), schedstat): a request takes less than a tick. */
function cpuMicroseconds(pid: number | undefined): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(join(`/proc/${pid}/task`, thread, 'schedstat'), 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1000;
}

async function usedByUser(administrator: mysql.Connection, user: string) {
  const [rows] = await administrator.query<mysql.RowDataPacket[]>(
    'SELECT CPU_TIME AS cpu, ROWS_READ AS rows_read FROM information_schema.USER_STATISTICS WHERE USER = ?',
    [user],
  );
  return { databaseMicroseconds: Number(rows[0]?.cpu) * 1e6, rows: Number(rows[0]?.rows_read) };
}

/** What MariaDB has to be started with. The pool holds the largest shop, as one of production would hold what is in use. */
export const grownSettings = [
  '--userstat=1',
  '--innodb-buffer-pool-size=5G',
  '--innodb-log-file-size=1G',
  '--innodb-ft-cache-size=80000000',
];

/** Opens the database as the shop's own user does, so that what is read is counted. */
export function openCounted({ shop }: GrownShop) {
  return openMysql({ url: shop.env.MYSQL_URL ?? '', poolMax: 2 });
}

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import manifest from '../package.json' with { type: 'json' };
import { type Database, openSqlite } from '../src/shared/database.ts';
import type { Keeper } from '../test/faults/keeper.ts';
import { createShopProcess, type ShopProcess } from '../test/faults/shop-process.ts';
import { type BenchStores, fillWithProducts } from './bench-stores.ts';
import { clusterPids, clusterProgram, clusterSettings } from './shop-cluster.ts';

/** The built server as production runs it, ready to be measured. */
export interface BenchShop {
  readonly url: string;
  readonly port: number;
  readonly productIds: readonly string[];
  /** its database, for who counts what came of it */
  readonly db: Database;
  readonly process: ShopProcess;
  readonly env: Readonly<Record<string, string>>;
  /** tokens of customers, good for 15 minutes */
  customers(): Promise<readonly string[]>;
  /** seconds of processor time so far, of all its processes */
  cpuSeconds(): number;
  /** resident memory, in MiB; of all its processes together */
  memoryMib(): number;
  /** the most that it has been since the start, in MiB */
  peakMib(): number;
  close(): Promise<void>;
}

interface Place {
  readonly keeper: Keeper;
  /** where the built shop is */
  readonly built: string;
  readonly folder: string;
}

const root = join(import.meta.dirname, '..');
const server = 'dist/src/server.js';
/** the options of Node that production runs with */
const nodeArgs = manifest.scripts.start.split(' ').filter((word) => word.startsWith('--'));
export const customerNames = ['customer-1', 'customer-2', 'customer-3', 'customer-4'];
/** of the admin too, so production has to take it */
export const customerPassword = randomBytes(18).toString('base64url');
const beforeExpiryMs = 10 * 60_000;

/** All limits are on, only so high that the load stays below them. Events are delivered in the process, since SQS is no server of ours. */
const production = {
  NODE_ENV: 'production',
  ALLOW_EMBEDDED: 'true',
  ADMIN_USERNAME: 'admin',
  ADMIN_PASSWORD: customerPassword,
  AUDIT_INTERVAL_SECONDS: '0',
  DRAIN_DELAY_MS: '0',
  RATE_LIMIT_BROWSING: '100000000/60',
  RATE_LIMIT_ORDERS: '100000000/60',
  RATE_LIMIT_STAFF: '100000000/60',
  RATE_LIMIT_LOGIN: '100000000/60',
  RATE_LIMIT_LOGIN_FAILURES: '100000000/60',
  RATE_LIMIT_REGISTER: '100000000/60',
};

/** On the given stores, in a database of its own. `settings` are further variables; more than one worker: under pm2. */
export async function startShop({
  keeper,
  built,
  folder,
  stores,
  database = 'shop',
  settings = {},
  workers = 1,
}: Place & {
  readonly stores: BenchStores;
  readonly database?: string;
  readonly workers?: number;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}): Promise<BenchShop> {
  const { url, db, productIds } = await stores.database(database);
  const ofCluster = workers > 1 ? await clusterSettings(folder, workers) : undefined;
  const env = { ...production, ...secrets(), ...reach(stores, url, database), ...ofCluster, ...settings };
  const program = relative(root, join(built, ofCluster === undefined ? server : clusterProgram));
  const shop = await createShopProcess({
    ...{ name: 'shop', keeper, folder, program, env },
    // pm2 has those of ecosystem.config.js
    ...(ofCluster === undefined && { nodeArgs }),
  });
  await shop.start();
  const pids = ofCluster && (await clusterPids({ keeper, pid: shop.pid(), workers, settings: ofCluster }));
  return measurable({ shop, env, db, productIds, pids, close: async () => void (await shop.kill('SIGTERM')) });
}

/** What a process has to know to reach the stores. */
function reach(stores: BenchStores, mysqlUrl: string, database: string) {
  return {
    MYSQL_URL: mysqlUrl,
    REDIS_URL: `redis://127.0.0.1:${stores.redis.port}`,
    DYNAMODB_ENDPOINT: stores.dynamo.endpoint,
    DYNAMODB_TABLE_PREFIX: `${database}-`,
    AWS_REGION: 'local',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
}

function secrets() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    JWT_PRIVATE_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    REFRESH_KEYS: randomBytes(32).toString('base64url'),
    PASSWORD_PEPPER: randomBytes(32).toString('base64url'),
  };
}

/** The products are put into its file between a first start, which makes the tables, and the one that is measured. */
export async function startEmbeddedShop({
  keeper,
  built,
  folder,
  products,
  settings = {},
}: Place & { readonly products: number; readonly settings?: Readonly<Record<string, string>> }): Promise<BenchShop> {
  const env = { ...production, ...secrets(), ...settings };
  const program = relative(root, join(built, server));
  const shop = await createShopProcess({ name: 'shop', keeper, folder, program, nodeArgs, env });
  await shop.start();
  await shop.kill('SIGTERM');
  const file = join(folder, 'data-shop', 'shop.sqlite');
  const writable = await openSqlite({ file });
  const productIds = await fillWithProducts(writable, products);
  await writable.close();
  await shop.start();
  const db = await openSqlite({ file, readOnly: true });
  const close = async () => {
    await db.close();
    await shop.kill('SIGTERM');
  };
  return measurable({ shop, env, db, productIds, close });
}

function measurable({
  shop,
  pids,
  ...rest
}: Pick<BenchShop, 'env' | 'db' | 'productIds' | 'close'> & {
  readonly shop: ShopProcess;
  /** undefined: the program that was started is the shop */
  readonly pids?: readonly number[] | undefined;
}): BenchShop {
  const sum = (of: (pid: number | undefined) => number) => (pids ?? [shop.pid()]).map(of).reduce((one, other) => one + other, 0);
  let signedIn: { readonly tokens: readonly string[]; readonly until: number } | undefined;
  let registered = false;
  return {
    ...rest,
    process: shop,
    url: shop.url,
    port: shop.port,
    customers: async () => {
      if (signedIn === undefined || signedIn.until < Date.now()) {
        const tokens: string[] = [];
        for (const name of customerNames) tokens.push((await enter(shop.url, name, registered ? 'login' : 'register')).token);
        registered = true;
        signedIn = { tokens, until: Date.now() + beforeExpiryMs };
      }
      return signedIn.tokens;
    },
    cpuSeconds: () => sum(cpuSecondsOf),
    memoryMib: () => sum((pid) => mibOf('VmRSS', pid)),
    peakMib: () => sum((pid) => mibOf('VmHWM', pid)),
  };
}

export interface Entered {
  readonly id: string;
  /** good for 15 minutes */
  readonly token: string;
}

/** Registers a customer, or signs somebody in; the admin is `admin`. All have the same password. @throws when that is refused */
export async function enter(url: string, username: string, how: 'login' | 'register'): Promise<Entered> {
  const answer = await askedAgain(() =>
    fetch(`${url}/api/auth/${how}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: customerPassword }),
    }),
  );
  const { accessToken, user } = (await answer.json()) as { accessToken?: string; user?: { id: string } }; // as the shop documents it
  if (accessToken === undefined || user === undefined) throw new Error(`${how} answered ${answer.status}.`);
  return { id: user.id, token: accessToken };
}

const busyTries = 20;
const busyPauseMs = 1000;

/** The answer, asked for again while a shop that is too busy sheds it: whoever measures on a loaded machine waits, as every client should. */
export async function askedAgain<A extends { readonly status: number }>(ask: () => Promise<A>): Promise<A> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.status !== 503 || tries === busyTries) return answer;
    await pause(busyPauseMs);
  }
}

const ticksPerSecond = 100;

/** User and system time of a process (proc(5), fields 14 and 15 of stat). */
function cpuSecondsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** A size that the kernel tells of a process (proc(5), status). */
function mibOf(size: 'VmRSS' | 'VmHWM', pid: number | undefined): number {
  const found = new RegExp(`^${size}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) / 1024;
}

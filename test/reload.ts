import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { type Cluster, startCluster } from './faults/cluster.ts';
import { lastingPort } from './faults/managed-program.ts';
import { missingForFaults } from './faults/missing-programs.ts';
import { field, openShopClient } from './faults/shop-client.ts';
import { tablePrefix } from './faults/store-servers.ts';
import { buildShop } from './harness/built-shop.ts';

const usage = `npm run test:reload [-- --reloads 10 --connections 16 --workers 2]

Runs the built shop as npm run cluster does, on MariaDB, Redis, DynamoDB Local and a stand-in for SQS of its own, has wrk read
products and place orders as fast as it is answered, and reloads the workers meanwhile, one reload after the other.

Exit codes: 0 not one request failed, 1 some did, 2 usage, or a program is missing.`;

const execute = promisify(execFile);
const startMs = 120_000;

interface Options {
  readonly reloads: number;
  readonly connections: number;
  readonly workers: number;
}

async function main(): Promise<number> {
  const options = readOptions();
  const missing = [...missingForFaults(), ...(spawnSync('wrk', ['-v']).error ? ['wrk is missing (apt-get install wrk)'] : [])];
  if (options === undefined || missing.length > 0) {
    process.stderr.write(`${options === undefined ? usage : missing.join('\n')}\n`);
    return 2;
  }
  const stores = await startCluster({ processes: 0, program: 'src/server.ts' });
  const shop = await startBuiltShop(stores, options.workers);
  try {
    const { requests, seconds, p99Ms, longestMs, ...errors } = await underLoad(shop, stores, options);
    const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
    const lines = [
      `reloads           ${options.reloads}`,
      `requests          ${requests.toLocaleString('en-GB')} in ${seconds} s, ${Math.round(requests / seconds)} a second`,
      `longest answer    ${longestMs} ms, p99 ${p99Ms} ms`,
      `failed            ${failed} (${Object.entries(errors)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ')})`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return failed === 0 && requests > 0 ? 0 : 1;
  } finally {
    shop.process.kill('SIGTERM');
    await once(shop.process, 'exit');
    await stores.close();
  }
}

interface BuiltShop {
  readonly url: string;
  readonly process: ChildProcess;
  /** of pm2, such as `reload api` */
  pm2(...words: readonly string[]): Promise<string>;
}

async function startBuiltShop(
  { folder, keeper, stores, databaseUrl, queues, admin }: Cluster,
  workers: number,
): Promise<BuiltShop> {
  await buildShop(folder, ['ecosystem.config.js', 'src']);
  const port = await lastingPort();
  const url = `http://127.0.0.1:${port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    PM2_HOME: join(folder, 'pm2'),
    DATA_DIR: join(folder, 'data'),
    MYSQL_URL: databaseUrl,
    REDIS_URL: `redis://127.0.0.1:${stores.redis.port}`,
    DYNAMODB_ENDPOINT: stores.dynamo.endpoint,
    DYNAMODB_TABLE_PREFIX: tablePrefix,
    SQS_QUEUE_URL: queues.queueUrl,
    SQS_ENDPOINT: stores.sqs.endpoint,
    JWT_PRIVATE_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    REFRESH_KEYS: randomBytes(32).toString('hex'),
    PASSWORD_PEPPER: randomBytes(32).toString('hex'),
    ADMIN_USERNAME: admin.username,
    ADMIN_PASSWORD: admin.password,
    RATE_LIMIT_ENABLED: 'false',
    DRAIN_DELAY_MS: '1000',
    PORT: String(port),
    WORKER_PORT: String(await lastingPort()),
    WEB_CONCURRENCY: String(workers),
  };
  const command = [join(folder, 'src/commands/cluster.ts')];
  const log = openSync(join(folder, 'cluster.log'), 'a');
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', log, log] });
  keeper.keepChild(child);
  for (const deadline = Date.now() + startMs; ; await pause(100)) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.status === 200) break;
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`The shop does not come up: ${readFileSync(join(folder, 'cluster.log'), 'utf8').slice(-2000)}`);
  }
  return {
    url,
    process: child,
    pm2: async (...words) => (await execute(process.execPath, [...command, ...words], { env, maxBuffer: 10_000_000 })).stdout,
  };
}

/** What wrk counted. */
interface Counted {
  readonly requests: number;
  readonly seconds: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly timeout: number;
  readonly status: number;
}

/** Load from before the first reload until a moment after the last. @throws when a reload left a worker as it was */
async function underLoad({ url, pm2 }: BuiltShop, { admin }: Cluster, { reloads, connections }: Options): Promise<Counted> {
  const { token, productId } = await prepare(url, admin);
  const { PATH = '' } = process.env;
  const words = ['--threads', '2', '--connections', String(connections), '--duration', '3600s', '--timeout', '15s'];
  const wrk = spawn('wrk', [...words, '--script', join(import.meta.dirname, 'reload-load.lua'), url], {
    env: { PATH, RELOAD_TOKEN: token, RELOAD_PRODUCT: productId },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  wrk.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(wrk, 'close');
  try {
    await pause(1000);
    for (let reload = 1; reload <= reloads; reload++) {
      const before = await workersOf(pm2);
      await pm2('reload', 'api');
      const after = await workersOf(pm2);
      if (after.some((pid) => before.includes(pid))) throw new Error('A reload left a worker as it was.');
      process.stderr.write(`reload ${reload}: ${before.join(', ')} → ${after.join(', ')}\n`);
    }
    await pause(1000);
  } finally {
    wrk.kill('SIGINT');
    await ended;
  }
  return JSON.parse(said.trimEnd().split('\n').at(-1) ?? '') as Counted; // what the script of the load writes
}

async function prepare(url: string, admin: Cluster['admin']) {
  const client = openShopClient(url);
  const signedIn = await client.ask({ method: 'POST', path: '/api/auth/login', body: admin });
  const token = field(signedIn.body, 'accessToken') ?? '';
  const body = { sku: 'reload', name: 'Lamp', price: { amount: 100, currency: 'GBP' }, initialStock: 1_000_000_000 };
  const product = await client.ask({ method: 'POST', path: '/api/products', token, body });
  const productId = field(product.body, 'id');
  client.close();
  if (productId === undefined) throw new Error(`There is no product to sell: ${product.status} ${product.text}`);
  return { token, productId };
}

async function workersOf(pm2: BuiltShop['pm2']): Promise<readonly number[]> {
  const text = await pm2('jlist');
  const all = JSON.parse(text.slice(text.indexOf('[{'))) as readonly { readonly name: string; readonly pid: number }[]; // as pm2 writes it
  return all.filter(({ name }) => name === 'api').map(({ pid }) => pid);
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        reloads: { type: 'string', default: '10' },
        connections: { type: 'string', default: '16' },
        workers: { type: 'string', default: '2' },
      },
    });
    const [reloads = 0, connections = 0, workers = 0] = [values.reloads, values.connections, values.workers].map(Number);
    return [reloads, connections, workers].every((count) => Number.isInteger(count) && count > 0)
      ? { reloads, connections, workers }
      : undefined;
  } catch {
    return undefined;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from '../test/faults/cluster.ts';
import type { ManagedProgram } from '../test/faults/managed-program.ts';
import { untilQuiet } from '../test/faults/quiescence.ts';
import { field, openShopClient } from '../test/faults/shop-client.ts';

/**
 * How many orders a second one task gives, and which tier limits: one process of the shop on MariaDB, Redis, DynamoDB Local and a
 * stand-in for SQS, wrk placing orders of three lines for a while; then all are confirmed. Processor time for each order, by tier,
 * says more than the rate where all tiers and wrk share a few cores.
 */
const usage = 'usage: node bench/task-capacity.ts [--seconds 20] [--connections 64] [--products 300]';

/** of Linux, for whatever it counts in /proc */
const ticksPerSecond = 100;

async function main(): Promise<void> {
  const { seconds, connections, products } = readOptions();
  const cluster = await startCluster({ processes: 1, program: 'src/server.ts', env: { RATE_LIMIT_ENABLED: 'false' } });
  try {
    const { token, ids } = await fill(cluster, products);
    const programs: readonly ManagedProgram[] = [...cluster.shops, ...Object.values(cluster.stores)];
    await load(cluster, { token, ids, round: 'warm', seconds: 3, connections });
    await untilQuiet(cluster, 60_000);
    const before = { ticks: programs.map(ticksOf), orders: await countOrders(cluster), at: performance.now() };
    await load(cluster, { token, ids, round: 'measured', seconds, connections });
    const tookSeconds = (performance.now() - before.at) / 1000;
    const accepted = (await countOrders(cluster)) - before.orders;
    const backlog = await untilQuiet(cluster, 300_000);
    const confirmedSeconds = (performance.now() - before.at) / 1000;
    const lines = [
      `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), Node ${process.version}, ${connections} connections, ${products} products`,
      `accepted   ${accepted} orders, ${Math.round(accepted / tookSeconds)} a second`,
      `confirmed  ${Math.round(accepted / confirmedSeconds)} a second; left over: ${backlog.events + backlog.held}`,
      ...programs.map((program, index) => {
        const cpuMs = ((ticksOf(program) - (before.ticks[index] ?? 0)) * 1000) / ticksPerSecond / accepted;
        return `${program.name.padEnd(10)} ${cpuMs.toFixed(2)} ms of a core an order, so ${Math.round(1000 / cpuMs)} orders a second and core`;
      }),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await cluster.close();
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      connections: { type: 'string', default: '64' },
      products: { type: 'string', default: '300' },
    },
  });
  const [seconds = 0, connections = 0, products = 0] = [values.seconds, values.connections, values.products].map(Number);
  if (![seconds, connections, products].every((value) => value > 0)) throw new Error(usage);
  return { seconds, connections, products };
}

/** Signs the admin in and makes products. */
async function fill({ url, admin }: Cluster, products: number) {
  const client = openShopClient(url);
  const signedIn = await client.ask({ method: 'POST', path: '/api/auth/login', body: admin });
  const token = field(signedIn.body, 'accessToken') ?? '';
  const ids: string[] = [];
  for (let number = 0; number < products; number++) {
    const body = { sku: `load-${number}`, name: 'Lamp', price: { amount: 100, currency: 'GBP' }, initialStock: 1_000_000_000 };
    const answer = await client.ask({ method: 'POST', path: '/api/products', token, body });
    const id = field(answer.body, 'id');
    if (id === undefined) throw new Error(`A product can not be made: ${answer.status} ${answer.text}`);
    ids.push(id);
  }
  client.close();
  return { token, ids };
}

interface Round {
  readonly token: string;
  readonly ids: readonly string[];
  /** makes the keys of its orders its own */
  readonly round: string;
  readonly seconds: number;
  readonly connections: number;
}

async function load({ url }: Cluster, { token, ids, round, seconds, connections }: Round): Promise<void> {
  const { PATH = '' } = process.env;
  const words = ['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`, '--timeout', '15s'];
  const wrk = spawn('wrk', [...words, '--script', join(import.meta.dirname, 'order-load.lua'), url], {
    env: { PATH, ORDER_TOKEN: token, ORDER_ROUND: round, ORDER_PRODUCTS: ids.join(',') },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(wrk, 'exit');
  if (code !== 0) throw new Error(`wrk ended with ${code}.`);
  await pause(100);
}

async function countOrders({ db }: Cluster): Promise<number> {
  const [row] = await db.rows<{ n: number }>('SELECT COUNT(*) AS n FROM orders_orders');
  return row?.n ?? 0;
}

/** What a process and its threads have had of the processors. */
function ticksOf(program: ManagedProgram): number {
  const fields = readFileSync(`/proc/${program.pid()}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);

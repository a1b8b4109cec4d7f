import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Keeper } from '../test/faults/keeper.ts';
import { lastingPort } from '../test/faults/managed-program.ts';
import type { Bench } from './bench-context.ts';
import { interleaved, median, type Result, type Row } from './bench-row.ts';
import type { BenchShop } from './bench-shop.ts';
import { placeOrders } from './order-rows.ts';
import { loadReads } from './read-load.ts';

const startsPerRound = 3;
const lookEveryMs = 2;
const longestStartMs = 60_000;
/** after a start, until what was only needed for it has been let go */
const restMs = 5000;

export const processRows: readonly Row[] = [
  {
    name: 'start',
    alone: true,
    title:
      'from the start of the process to ready on embedded storage with data against the first answer of an empty Express app',
    run: measureStart,
  },
  {
    name: 'memory',
    alone: true,
    title: 'resident memory of a process on production stores, at rest and after reads and orders of 64 clients',
    run: measureMemory,
  },
];

async function measureStart({ settings, keeper, embeddedShop }: Bench): Promise<readonly Result[]> {
  const shop = await embeddedShop();
  const port = await lastingPort();
  const measured = await interleaved(settings.rounds, {
    baseline: () => medianOf(() => startExpress(keeper, port)),
    project: () => medianOf(() => restart(shop)),
  });
  const checked = 'the readiness probe, a product afterwards';
  return [{ name: 'start', unit: 'ms', ...measured, goal: { atMost: 6 }, checked }];
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  while (values.length < startsPerRound) values.push(await measure());
  return median(values);
}

/** Milliseconds until Node has answered for the first time with an empty Express app. */
async function startExpress(keeper: Keeper, port: number): Promise<number> {
  const { PATH = '' } = process.env;
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'baselines', 'express-empty.js'), String(port)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH, NODE_ENV: 'production' },
  });
  keeper.keepChild(child);
  const took = await untilAnswered({ url: `http://127.0.0.1:${port}/`, status: 404, startedAt });
  child.kill('SIGKILL');
  await once(child, 'exit');
  return took;
}

/** Milliseconds until the shop is ready. @throws when it does not know its products then */
async function restart({ process: shop, url, productIds }: BenchShop): Promise<number> {
  await shop.kill('SIGTERM');
  const startedAt = performance.now();
  shop.launch();
  const took = await untilAnswered({ url: `${url}/readyz`, status: 200, startedAt });
  const { status } = await fetch(`${url}/api/products/${productIds[0]}`);
  if (status !== 200) throw new Error(`A product was answered ${status} after a start.`);
  return took;
}

interface Awaited {
  readonly url: string;
  readonly status: number;
  readonly startedAt: number;
}

async function untilAnswered({ url, status, startedAt }: Awaited): Promise<number> {
  for (;;) {
    if ((await statusOf(url)) === status) return performance.now() - startedAt;
    if (performance.now() - startedAt > longestStartMs) throw new Error(`${url} is not answered ${status}.`);
    await pause(lookEveryMs);
  }
}

function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', () => resolve(undefined));
  });
}

async function measureMemory({ settings, ownShop }: Bench): Promise<readonly Result[]> {
  const { rounds, seconds } = settings;
  const shop = await ownShop('remembered');
  const atRest: number[] = [];
  const afterLoad: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round > 0) {
      await shop.process.kill('SIGTERM');
      await shop.process.start();
    }
    await pause(Math.min(restMs, seconds * 1000));
    atRest.push(shop.memoryMib());
    const url = `${shop.url}/api/products/${shop.productIds[0]}`;
    await loadReads({ url, seconds, body: await (await fetch(url)).text() });
    await placeOrders({ shop, seconds });
    afterLoad.push(shop.memoryMib());
  }
  await shop.close();
  const checked = 'the reads as in `read`, the orders as in `orders`';
  return [
    { name: 'memory-at-rest', unit: 'MiB', project: atRest, goal: { atMost: 110 }, checked },
    { name: 'memory-after-load', unit: 'MiB', project: afterLoad, goal: { atMost: 160 }, checked },
  ];
}

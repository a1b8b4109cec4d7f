import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openSqlite } from '../src/shared/database.ts';
import type { OrderLoop, OrderLoopResult } from './baselines/order-loop.ts';
import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import type { BenchShop } from './bench-shop.ts';
import { fillWithProducts } from './bench-stores.ts';
import { countOrders, isOutboxEmpty, mustBeClean, problemsOf } from './order-check.ts';
import { loadOrders, type OrderLoadResult, runProgram } from './order-load.ts';

const clients = 64;
const confirmMs = 60_000;
const betweenLooksMs = 10;
const checked = 'status, body and id of every answer, orders in the database, all confirmed, outbox empty, audit clean';

export const orderRows: readonly Row[] = [
  {
    name: 'orders',
    title:
      '`POST /api/orders` until confirmed, 64 clients, uniform, against a transaction per order by hand on MariaDB, without HTTP',
    run: (bench) => compareOrders({ bench, name: 'orders', atLeast: 1.5, count: 'confirmed' }),
  },
  {
    name: 'orders-hot',
    title: 'the same with one product in every order',
    run: (bench) => compareOrders({ bench, name: 'orders-hot', atLeast: 3, count: 'confirmed', hot: true }),
  },
  {
    name: 'burst',
    title: 'orders accepted (201) in a burst, uniform, against the same loop',
    run: (bench) => compareOrders({ bench, name: 'burst', atLeast: 2, count: 'accepted' }),
  },
  {
    name: 'orders-embedded',
    alone: true,
    title: '`POST /api/orders` until confirmed on the embedded store against a transaction per order by hand on `node:sqlite`',
    run: compareEmbedded,
  },
  {
    name: 'statements-per-order',
    title: 'SQL statements that an order takes in all its steps, 64 clients',
    run: countStatements,
  },
];

interface Comparison {
  readonly bench: Bench;
  readonly name: string;
  readonly atLeast: number;
  readonly count: 'accepted' | 'confirmed';
  readonly hot?: boolean;
}

async function compareOrders({ bench, name, atLeast, count, hot = false }: Comparison): Promise<readonly Result[]> {
  const shop = await bench.shop();
  const { url, productIds } = await (await bench.stores()).database('baseline');
  const { rounds, seconds, warmUpSeconds } = bench.settings;
  const baseline = (duration: number) =>
    byHand('mysql-orders.ts', { database: url, productIds, clients, seconds: duration, ...hotOf(productIds, hot) });
  const project = async (duration: number) => (await placeOrders({ shop, seconds: duration, hot }))[count];
  await baseline(warmUpSeconds);
  await project(warmUpSeconds);
  const measured = await interleaved(rounds, { baseline: () => baseline(seconds), project: () => project(seconds) });
  return [{ name, unit: '/s', ...measured, goal: { atLeast }, checked: `${checked} (${await mustBeClean(shop.db)})` }];
}

async function compareEmbedded({ folder, settings, embeddedShop }: Bench): Promise<readonly Result[]> {
  const shop = await embeddedShop();
  const database = join(folder, 'by-hand.sqlite');
  const db = await openSqlite({ file: database });
  const productIds = await fillWithProducts(db, settings.products);
  await db.close();
  const baseline = (seconds: number) => byHand('sqlite-orders.ts', { database, productIds, clients, seconds });
  const project = async (seconds: number) => (await placeOrders({ shop, seconds })).confirmed;
  await baseline(settings.warmUpSeconds);
  await project(settings.warmUpSeconds);
  const measured = await interleaved(settings.rounds, {
    baseline: () => baseline(settings.seconds),
    project: () => project(settings.seconds),
  });
  const audited = await mustBeClean(shop.db);
  return [{ name: 'orders-embedded', unit: '/s', ...measured, goal: { atLeast: 1 }, checked: `${checked} (${audited})` }];
}

async function countStatements(bench: Bench): Promise<readonly Result[]> {
  const shop = await bench.shop();
  const stores = await bench.stores();
  const project: number[] = [];
  for (let round = 0; round < bench.settings.rounds; round++) {
    const before = await stores.statements();
    const { orders, looks } = await placeOrders({ shop, seconds: bench.settings.seconds });
    project.push(((await stores.statements()) - before - looks) / orders);
  }
  return [{ name: 'statements-per-order', unit: '', project, goal: { atMost: 1 }, checked }];
}

function hotOf([first]: readonly string[], hot: boolean): { readonly hotProductId?: string } {
  return hot && first !== undefined ? { hotProductId: first } : {};
}

/** Orders a second of a loop that is written by hand. */
async function byHand(file: string, loop: OrderLoop): Promise<number> {
  const { orders, seconds } = await runProgram<OrderLoopResult>(`baselines/${file}`, loop);
  return orders / seconds;
}

export interface Placed extends Pick<OrderLoadResult, 'medianMs'> {
  readonly orders: number;
  /** a second, until the last answer */
  readonly accepted: number;
  /** a second, until the last event was delivered */
  readonly confirmed: number;
  /** statements of our own since the first order */
  readonly looks: number;
}

/** Places orders and waits until they are confirmed. @throws when an answer or what is stored is not what was ordered */
export async function placeOrders({
  shop,
  seconds,
  hot = false,
  clients: many = clients,
}: {
  readonly shop: BenchShop;
  readonly seconds: number;
  readonly hot?: boolean;
  readonly clients?: number;
}): Promise<Placed> {
  const { db, port, productIds } = shop;
  const tokens = await shop.customers();
  const before = await countOrders(db);
  const startedAt = performance.now();
  const load = await loadOrders({ port, tokens, productIds, clients: many, seconds, ...hotOf(productIds, hot) });
  // counting is no work of the shop, nor is starting the clients
  const idleSeconds = (performance.now() - startedAt) / 1000 - load.seconds;
  let looks = 2;
  for (; !(await isOutboxEmpty(db)); looks++) {
    if (performance.now() - startedAt > seconds * 1000 + confirmMs) throw new Error('The outbox does not become empty.');
    await pause(betweenLooksMs);
  }
  const confirmedSeconds = (performance.now() - startedAt) / 1000 - idleSeconds;
  const after = await countOrders(db);
  const stored = after.orders - before.orders;
  const problems = problemsOf({ load, stored, confirmed: after.confirmed - before.confirmed });
  if (problems.length > 0) throw new Error(`The orders are not right: ${problems.join('; ')}`);
  return {
    ...{ orders: stored, looks, medianMs: load.medianMs },
    accepted: stored / load.seconds,
    confirmed: stored / confirmedSeconds,
  };
}

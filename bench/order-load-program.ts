import { json } from 'node:stream/consumers';
import { percentile } from './bench-row.ts';
import type { OrderLoad, OrderLoadResult } from './order-load.ts';
import { chooseProducts, openOrderSocket } from './order-socket.ts';

/** The clients of the order rows. Every status counts, every order's id is kept, and each body is compared with what was ordered. */

const mostTold = 5;

async function main(): Promise<void> {
  // what order-load.ts writes
  const load = (await json(process.stdin)) as OrderLoad;
  const statuses: Record<string, number> = {};
  const ids = new Set<string>();
  const wrong: string[] = [];
  const latencies: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + load.seconds * 1000;

  const runClient = async (number: number) => {
    const socket = openOrderSocket({ port: load.port, token: load.tokens[number % load.tokens.length] ?? '' });
    do {
      const productIds = chooseProducts(load);
      const sentAt = performance.now();
      const { status, body } = await socket.place(productIds);
      latencies.push(performance.now() - sentAt);
      statuses[status] = (statuses[status] ?? 0) + 1;
      const problem = status === '201' ? problemOf(body, productIds, ids) : body;
      if (problem !== undefined && wrong.length < mostTold) wrong.push(problem);
    } while (performance.now() < endsAt);
    socket.close();
  };
  await Promise.all(Array.from({ length: load.clients }, (_, number) => runClient(number)));

  const seconds = (performance.now() - startedAt) / 1000;
  const result: OrderLoadResult = {
    ...{ statuses, distinctOrders: ids.size, wrong, seconds },
    medianMs: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
  process.stdout.write(JSON.stringify(result));
}

/** What is wrong with an order, if anything is. Notes its id. */
function problemOf(body: string, productIds: readonly string[], ids: Set<string>): string | undefined {
  const order = JSON.parse(body);
  if (ids.has(order.id)) return `the order ${order.id} was answered twice`;
  ids.add(order.id);
  const sold = order.items.map((item: { productId: string }) => item.productId).sort();
  const sum = order.items.reduce((total: number, item: { lineTotal: { amount: number } }) => total + item.lineTotal.amount, 0);
  const right = order.status === 'placed' && sum === order.total.amount && sold.join() === [...productIds].sort().join();
  return right ? undefined : `not what was ordered: ${body.slice(0, 300)}`;
}

await main();

import { json } from 'node:stream/consumers';
import { jsonPost, openHttpSocket } from './http-socket.ts';
import { chooseProducts } from './order-socket.ts';
import { orderOf, orderRequests, problemOfPaid, type VendureLoad, type VendureLoadResult } from './vendure-orders.ts';

/** The clients that order from Vendure. One whose order went wrong stops, since what is left of the order is in its way. */

const { port, tokens, variantIds, seconds } = (await json(process.stdin)) as VendureLoad; // what vendure-row.ts writes
const codes = new Set<string>();
const wrong: string[] = [];
let placed = 0;
const startedAt = performance.now();
await Promise.all(tokens.map(runClient));
const result: VendureLoadResult = {
  ...{ placed, wrong, distinctOrders: codes.size },
  seconds: (performance.now() - startedAt) / 1000,
};
process.stdout.write(JSON.stringify(result));

async function runClient(token: string): Promise<void> {
  const socket = openHttpSocket(port);
  try {
    do {
      const problem = await placeOne(socket.ask, token);
      if (problem === undefined) continue;
      wrong.push(problem);
      return;
    } while (performance.now() - startedAt < seconds * 1000);
  } finally {
    socket.close();
  }
}

/** What went wrong, if anything did. */
async function placeOne(ask: ReturnType<typeof openHttpSocket>['ask'], token: string): Promise<string | undefined> {
  const chosen = chooseProducts({ productIds: variantIds });
  const headers = { Authorization: `Bearer ${token}` };
  let order: ReturnType<typeof orderOf> = 'nothing was ordered';
  for (const request of orderRequests(chosen)) {
    const { status, body } = await ask(jsonPost('/shop-api', headers, JSON.stringify(request)));
    order = orderOf(status, body);
    if (typeof order === 'string') return order;
  }
  if (typeof order === 'string') return order;
  placed += 1;
  codes.add(order.code);
  return problemOfPaid(order, chosen);
}

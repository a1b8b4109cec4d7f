import { replay } from '../../src/commands/replay-run.ts';
import { temporaryFolder } from '../child-process.ts';
import { type CannedAnswer, type Fault, type ProxiedRequest, startFaultyProxy } from './faulty-proxy.ts';
import { retailFileOf } from './retail-sample.ts';
import type { Shop } from './shop.ts';

/** Retries at once, and gives up sooner than for a user. */
const patience = { outageMs: 5000, firstPauseMs: 1, longestPauseMs: 5 };

interface RunOptions {
  readonly faults?: (request: ProxiedRequest) => Fault;
  readonly concurrency?: number;
  readonly password?: string;
  readonly isTTY?: boolean;
  /** how long the shop may be away */
  readonly outageMs?: number;
  /** how long the orders may take to be confirmed */
  readonly settleMs?: number;
}

/** Replays a file of these rows into the shop, with the faults in between. Answers what a user sees. */
export async function replayRows(
  shop: Shop,
  rows: readonly string[],
  { faults, concurrency = 8, password, isTTY = false, settleMs = 5000, ...limits }: RunOptions = {},
) {
  const { username, password: real } = await shop.admin();
  const folder = temporaryFolder();
  const proxy = await startFaultyProxy(shop.url, faults ?? (() => 'none'));
  let text = '';
  const output = {
    isTTY,
    write: (part: string) => {
      text += part;
    },
  };
  try {
    const path = retailFileOf(folder.path, rows);
    const admin = { username, password: password ?? real };
    const exitCode = await replay({
      path,
      url: proxy.url,
      concurrency,
      admin,
      output,
      patience: { ...patience, ...limits },
      settleMs,
    });
    return { exitCode, text };
  } finally {
    await proxy.close();
    folder.remove();
  }
}

export function refusal(status: number, slug: string, headers: Readonly<Record<string, string>> = {}): CannedAnswer {
  return { status, headers, body: { type: `/problems/${slug}`, title: slug, status } };
}

/** Something goes wrong with every second request. */
export function everyOther(faultOf: (number: number) => Fault): (request: ProxiedRequest) => Fault {
  let requests = 0;
  return () => {
    requests++;
    return requests % 2 === 0 ? faultOf(requests / 2) : 'none';
  };
}

/** No order reaches the shop. */
export function everyOrder(fault: () => Fault): (request: ProxiedRequest) => Fault {
  return ({ method, path }) => (method === 'POST' && path === '/api/orders' ? fault() : 'none');
}

/** The first order is answered like this and never reaches the shop. */
export function oneOrder(fault: () => Fault): (request: ProxiedRequest) => Fault {
  let orders = 0;
  return everyOrder(() => {
    orders++;
    return orders === 1 ? fault() : 'none';
  });
}

/** What the summary of today says. */
export async function placedOrders(shop: Shop) {
  const { body } = await (await shop.staff()).api.get('/api/orders/summary').expect(200);
  return body.data[0].placed;
}

/** On hand and reserved, by sku. */
export async function stockOf(shop: Shop): Promise<Record<string, readonly [number, number]>> {
  const { body } = await (await shop.staff()).api.get('/api/products?limit=100&include=stock').expect(200);
  const products: { sku: string; stock: { onHand: number; reserved: number } }[] = body.data;
  return Object.fromEntries(products.map(({ sku, stock: { onHand, reserved } }) => [sku, [onHand, reserved]]));
}

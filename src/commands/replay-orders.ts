import { z } from 'zod';
import { describe, read } from './replay-client.ts';
import { forEachConcurrently } from './replay-concurrency.ts';
import type { Session } from './replay-session.ts';
import { ReplayStop } from './replay-stop.ts';
import type { RetailFile } from './retail-file.ts';

const orderSchema = z.object({
  id: z.string(),
  status: z.string(),
  items: z.array(z.object({ quantity: z.number() })),
  total: z.object({ amount: z.number(), currency: z.string() }),
  createdAt: z.string(),
});
const pageSchema = z.object({ data: z.array(orderSchema), nextCursor: z.string().nullable() });

export type ShopOrder = z.output<typeof orderSchema>;

/** Orders, order lines, pieces and pence. */
export interface Amounts {
  readonly orders: number;
  readonly lines: number;
  readonly pieces: number;
  readonly total: number;
}

export function amountsOf(orders: readonly ShopOrder[]): Amounts {
  const sum = { orders: orders.length, lines: 0, pieces: 0, total: 0 };
  for (const { items, total } of orders) {
    sum.lines += items.length;
    for (const { quantity } of items) sum.pieces += quantity;
    sum.total += total.amount;
  }
  return sum;
}

/** All orders of a customer. */
export async function ordersOf(customer: Session): Promise<readonly ShopOrder[]> {
  const orders: ShopOrder[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = `limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer = await customer.ask({ method: 'GET', path: `/api/orders?${query}` });
    const page: z.output<typeof pageSchema> = read(answer, pageSchema);
    orders.push(...page.data);
    cursor = page.nextCursor;
  }
  return orders;
}

export interface Placing {
  readonly file: RetailFile;
  readonly customers: readonly Session[];
  /** of the products, by sku */
  readonly ids: ReadonlyMap<string, string>;
  readonly concurrency: number;
  readonly placed: () => void;
}

export interface PlacedOrders {
  /** as the shop answered them */
  readonly orders: readonly ShopOrder[];
  /** how many of them an earlier request had placed */
  readonly replayed: number;
  /** from the first attempt to the answer, for each order */
  readonly latenciesMs: readonly number[];
  /** one line for each invoice that the shop did not take */
  readonly refusals: readonly string[];
}

/**
 * Places every order of the file, the customers in turn. Its key is made of the file and the invoice, and the customer goes by
 * the invoice's place in the file, so that another run of the same file asks for the same orders.
 */
export async function placeOrders({ file, customers, ids, concurrency, placed }: Placing): Promise<PlacedOrders> {
  const orders: ShopOrder[] = [];
  const latenciesMs: number[] = [];
  const refusals: string[] = [];
  let replayed = 0;
  await forEachConcurrently(file.orders, concurrency, async ({ invoice, lines, total }, index) => {
    const customer = customers[index % customers.length];
    if (!customer) throw new TypeError('orders need a customer');
    const items = lines.map(({ product, quantity }) => ({ productId: knownId(ids, product.sku), quantity }));
    const body = { items, expectedTotal: { amount: total, currency: 'GBP' } };
    const idempotencyKey = `replay-${file.digest.slice(0, 16)}-${encodeURIComponent(invoice)}`;
    const start = performance.now();
    const answer = await customer.ask({ method: 'POST', path: '/api/orders', idempotencyKey, body });
    if (answer.status === 201) {
      latenciesMs.push(performance.now() - start);
      orders.push(read(answer, orderSchema));
      if (answer.headers['idempotency-replayed'] === 'true') replayed++;
    } else {
      refusals.push(`invoice ${invoice}: ${describe(answer)}`);
    }
    placed();
  });
  return { orders, replayed, latenciesMs, refusals };
}

function knownId(ids: ReadonlyMap<string, string>, sku: string): string {
  const id = ids.get(sku);
  if (id === undefined) throw new ReplayStop('setup', `the product ${sku} was not created`);
  return id;
}

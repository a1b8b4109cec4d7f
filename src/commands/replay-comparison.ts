import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { read } from './replay-client.ts';
import { type Amounts, amountsOf, ordersOf, type PlacedOrders, type ShopOrder } from './replay-orders.ts';
import { allProducts, type ShopProduct } from './replay-products.ts';
import type { Session } from './replay-session.ts';
import type { Summary } from './replay-summary.ts';
import { pounds, type RetailFile } from './retail-file.ts';

/** What the shop says of itself when all is placed and settled. */
export interface ShopState {
  readonly orders: readonly ShopOrder[];
  readonly products: readonly ShopProduct[];
  /** of the orders of this file */
  readonly summary: Summary;
}

const anyPage = z.object({ data: z.array(z.unknown()) });

/** Waits until every order is confirmed and nothing is reserved, for at most `timeoutMs`; the comparison tells what is not. */
export async function settledState(
  staff: Session,
  customers: readonly Session[],
  timeoutMs: number,
): Promise<Omit<ShopState, 'summary'>> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end && !(await isConfirmed(customers))) await sleep(pollMs);
  let products = await allProducts(staff);
  while (performance.now() < end && products.some(({ stock }) => stock?.reserved !== 0)) {
    await sleep(pollMs);
    products = await allProducts(staff);
  }
  const orders = await Promise.all(customers.map(ordersOf));
  return { products, orders: orders.flat() };
}

const pollMs = 250;

async function isConfirmed(customers: readonly Session[]): Promise<boolean> {
  const answers = await Promise.all(
    customers.map((customer) => customer.ask({ method: 'GET', path: '/api/orders?status=placed&limit=1' })),
  );
  return answers.every((answer) => read(answer, anyPage).data.length === 0);
}

/** Everything in which the shop is not what the file says, one line each; empty when all agree. */
export function differences(file: RetailFile, placed: PlacedOrders, shop: ShopState): readonly string[] {
  const expected = { orders: file.orders.length, lines: file.lines, pieces: file.pieces, total: file.total };
  return [
    ...placed.refusals.map((refusal) => `not placed: ${refusal}`),
    ...amountDifferences('the answers', expected, amountsOf(placed.orders)),
    ...amountDifferences('the list of orders', expected, amountsOf(shop.orders)),
    ...amountDifferences('the summary', expected, shop.summary),
    ...(shop.summary.cancelled === 0 ? [] : [`the summary counts ${shop.summary.cancelled} cancelled orders`]),
    ...orderDifferences(placed.orders, shop.orders),
    ...stockDifferences(file, shop.products),
  ];
}

function amountDifferences(where: string, expected: Amounts, found: Partial<Amounts>): string[] {
  const names = ['orders', 'lines', 'pieces', 'total'] as const;
  return names.flatMap((name) => {
    const value = found[name];
    if (value === undefined || value === expected[name]) return [];
    return [`${where}: ${name} ${shown(name, value)}, in the file ${shown(name, expected[name])}`];
  });
}

function shown(name: keyof Amounts, value: number): string {
  return name === 'total' ? `${pounds(value)} GBP` : String(value);
}

const settledStatuses: readonly string[] = ['confirmed', 'shipped', 'delivered'];

function orderDifferences(placed: readonly ShopOrder[], listed: readonly ShopOrder[]): string[] {
  const ids = new Set(listed.map(({ id }) => id));
  return [
    ...placed.filter(({ id }) => !ids.has(id)).map(({ id }) => `order ${id} was answered and is not in the list of orders`),
    ...listed
      .filter(({ status }) => !settledStatuses.includes(status))
      .map(({ id, status }) => `order ${id} is ${status}, not confirmed`),
  ];
}

function stockDifferences(file: RetailFile, products: readonly ShopProduct[]): string[] {
  const bySku = new Map(products.map((product) => [product.sku, product]));
  return file.products.flatMap(({ sku }) => {
    const product = bySku.get(sku);
    if (!product) return [`product ${sku} is not in the list of products`];
    if (!product.stock) return [`product ${sku} is listed without its stock`];
    const { onHand, reserved } = product.stock;
    return onHand === 0 && reserved === 0 ? [] : [`product ${sku}: ${onHand} on hand, ${reserved} reserved, both have to be 0`];
  });
}

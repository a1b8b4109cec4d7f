import { Failure, validationFailure } from '../../shared/failure.ts';
import type { Money, ReservationItem, ReservedLine } from './catalog-api.ts';

/** A product as it is on the shelf inside the transaction that decides. */
export interface ShelfProduct {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
}

export interface Shelf {
  readonly products: ReadonlyMap<string, ShelfProduct>;
  /** what is left of each product; the decisions of a batch take from it one after the other */
  readonly available: Map<string, number>;
}

export interface Wish {
  readonly items: readonly ReservationItem[];
  readonly expectedTotal?: Money | undefined;
}

/**
 * Decides everything that can refuse an order and takes what it gets from the shelf; a refusal takes nothing.
 * @throws validation, mixed-currencies, out-of-stock with every short line, total-changed
 */
export function takeFromShelf({ items, expectedTotal }: Wish, { products, available }: Shelf): readonly ReservedLine[] {
  const lines = linesOf(items, products);
  const total = totalOf(lines);
  const short = items
    .map(({ productId, quantity }) => ({ productId, requested: quantity, available: available.get(productId) ?? 0 }))
    .filter((item) => item.available < item.requested);
  if (short.length > 0) throw new Failure('out-of-stock', { members: { items: short } });
  if (expectedTotal !== undefined && (expectedTotal.amount !== total.amount || expectedTotal.currency !== total.currency)) {
    throw new Failure('total-changed', { members: { total } });
  }
  for (const { productId, quantity } of items) available.set(productId, (available.get(productId) ?? 0) - quantity);
  return lines;
}

function linesOf(items: readonly ReservationItem[], products: Shelf['products']): readonly ReservedLine[] {
  const lines: ReservedLine[] = [];
  const errors: { pointer: string; detail: string }[] = [];
  items.forEach(({ productId, quantity }, index) => {
    const product = products.get(productId);
    if (product === undefined) errors.push({ pointer: `/items/${index}/productId`, detail: 'is not a product of this shop' });
    else lines.push({ productId, sku: product.sku, name: product.name, unitPrice: product.price, quantity });
  });
  if (errors.length > 0) throw validationFailure(errors);
  return lines;
}

function totalOf(lines: readonly ReservedLine[]): Money {
  const currencies = [...new Set(lines.map(({ unitPrice }) => unitPrice.currency))];
  const [currency] = currencies;
  if (currency === undefined) throw validationFailure([{ pointer: '/items', detail: 'has to name a product' }]);
  if (currencies.length > 1) throw new Failure('mixed-currencies', { members: { currencies: currencies.sort() } });
  const amount = lines.reduce((sum, { unitPrice, quantity }) => sum + BigInt(unitPrice.amount) * BigInt(quantity), 0n);
  if (amount > BigInt(Number.MAX_SAFE_INTEGER))
    throw validationFailure([{ pointer: '/items', detail: 'come to a total beyond 2^53 - 1' }]);
  return { amount: Number(amount), currency };
}

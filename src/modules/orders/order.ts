import type { ReservedLine } from '../catalog/index.ts';
import type { ItemWish, Money, Order, OrderStatus } from './orders-api.ts';

/** The rules of an order, without a store or a clock. */

export const orderStatuses = [
  'placed',
  'confirmed',
  'shipped',
  'delivered',
  'cancelled',
] as const satisfies readonly OrderStatus[];

const transitions: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  placed: ['confirmed', 'cancelled'],
  confirmed: ['shipped', 'cancelled'],
  shipped: ['delivered'],
  delivered: [],
  cancelled: [],
};

/** During a deployment the next version may have brought an order into a state that this one doesn't know: nothing is allowed there. */
export function allowedFrom(status: OrderStatus): readonly OrderStatus[] {
  return Object.hasOwn(transitions, status) ? transitions[status] : [];
}

/** `done` when the order is there already and asking again is harmless: only a cancel may be repeated. */
export function decideTransition(from: OrderStatus, to: OrderStatus): 'go' | 'done' | 'illegal' {
  if (allowedFrom(from).includes(to)) return 'go';
  return from === 'cancelled' && to === 'cancelled' ? 'done' : 'illegal';
}

/** A new order over what the catalog holds for it, in the state `placed`. `now` is in milliseconds since 1970. */
export function placedOrder({
  id,
  userId,
  lines,
  now,
}: {
  id: string;
  userId: string;
  lines: readonly ReservedLine[];
  now: number;
}): Order {
  const items = lines.map((line) => ({ ...line, lineTotal: times(line.unitPrice, line.quantity) }));
  const currency = items[0]?.unitPrice.currency;
  if (currency === undefined) throw new RangeError('An order needs a line.');
  const amount = items.reduce((sum, item) => sum + item.lineTotal.amount, 0);
  const at = new Date(now).toISOString();
  return { id, userId, status: 'placed', items, total: { amount, currency }, version: 1, createdAt: at, updatedAt: at };
}

/** Wishes for the same product add up, in the order of their first mention; `firstIndex` tells where that was. */
export function mergeWishes(wishes: readonly ItemWish[]): readonly (ItemWish & { readonly firstIndex: number })[] {
  const merged = new Map<string, { productId: string; quantity: number; firstIndex: number }>();
  wishes.forEach(({ productId, quantity }, firstIndex) => {
    const earlier = merged.get(productId);
    if (earlier === undefined) merged.set(productId, { productId, quantity, firstIndex });
    else earlier.quantity += quantity;
  });
  return [...merged.values()];
}

export function pieces(order: Pick<Order, 'items'>): number {
  return order.items.reduce((sum, item) => sum + item.quantity, 0);
}

function times(price: Money, quantity: number): Money {
  return { amount: price.amount * quantity, currency: price.currency };
}

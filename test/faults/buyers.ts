import { type Actor, pausing } from './actors.ts';
import type { Line } from './history.ts';
import type { LoadProduct } from './load-products.ts';
import type { Random } from './random.ts';
import { field } from './shop-client.ts';

/** What buyers and staff know of together. */
export interface Shelf {
  readonly products: readonly LoadProduct[];
  /** orders that were answered, and who has them */
  readonly orders: Map<string, Actor>;
}

export interface Work {
  readonly actor: Actor;
  readonly shelf: Shelf;
  readonly random: Random;
  readonly ending: AbortSignal;
}

const longestPauseMs = 150;
const mostLines = 3;
const mostPieces = 3;
/** their orders that a buyer looks at again and again */
const watched = 5;

/** Places, reads, lists and cancels orders, looks at products and refreshes the session, in random order. */
export async function buy(work: Work): Promise<void> {
  const { actor, shelf, random, ending } = work;
  const own: string[] = [];
  for (let number = 1; !ending.aborted; number++) {
    const dice = random.below(100);
    const orderId = own.length > 0 ? random.pick(own.slice(-watched)) : undefined;
    const token = actor.token();
    if (dice < 45 || orderId === undefined) {
      const placed = await place(work, number);
      if (placed !== undefined) own.push(placed);
    } else if (dice < 65)
      await actor.try({ kind: 'read-order', orderId }, { method: 'GET', path: `/api/orders/${orderId}`, token });
    else if (dice < 75)
      await actor.insist({ kind: 'cancel', orderId }, { method: 'POST', path: `/api/orders/${orderId}/cancel`, token });
    else if (dice < 80) await actor.try({ kind: 'list-orders' }, { method: 'GET', path: '/api/orders?limit=100', token });
    else if (dice < 90) await look(work, random.pick(shelf.products).id);
    else if (dice < 96)
      await actor.try({ kind: 'read-stock' }, { method: 'GET', path: `/api/products/${random.pick(shelf.products).id}/stock` });
    else await actor.refresh();
    await pausing(random.below(longestPauseMs), ending);
  }
}

/** Under a key of its own, again and again until the answer is definite, and then reads what it has written. */
async function place({ actor, shelf, random }: Work, number: number): Promise<string | undefined> {
  const key = `${actor.username}-${number}`;
  const items = wishes(shelf.products, random);
  const ask = { method: 'POST', path: '/api/orders', token: actor.token(), key, body: { items } } as const;
  const answer = await actor.insist({ kind: 'place', key, items }, ask);
  const orderId = answer.outcome === 'ok' ? field(answer.body, 'id') : undefined;
  if (orderId === undefined) return undefined;
  shelf.orders.set(orderId, actor);
  await actor.try({ kind: 'read-order', orderId }, { method: 'GET', path: `/api/orders/${orderId}`, token: actor.token() });
  // now and then somebody presses the button once more
  if (random.below(10) === 0) await actor.insist({ kind: 'place', key, items }, ask);
  return orderId;
}

function wishes(products: readonly LoadProduct[], random: Random): Line[] {
  const chosen = new Set(Array.from({ length: 1 + random.below(mostLines) }, () => random.pick(products).id));
  return [...chosen].map((productId) => ({ productId, quantity: 1 + random.below(mostPieces) }));
}

async function look({ actor }: Work, productId: string): Promise<void> {
  await actor.try({ kind: 'read-product', productId }, { method: 'GET', path: `/api/products/${productId}` });
}

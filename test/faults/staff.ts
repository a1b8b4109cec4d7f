import { pausing } from './actors.ts';
import type { Work } from './buyers.ts';
import { member } from './shop-client.ts';

const longestPauseMs = 200;

/** Edits products from the version that was read, counts stock, ships and delivers. */
export async function keepShop(work: Work): Promise<void> {
  const { actor, random, ending } = work;
  for (let number = 1; !ending.aborted; number++) {
    const dice = random.below(100);
    if (dice < 40) await edit(work, number);
    else if (dice < 60) await adjust(work, number);
    else if (dice < 95) await dispatch(work);
    else await actor.refresh();
    await pausing(random.below(longestPauseMs), ending);
  }
}

/** Not again when its outcome is unknown: an edit has no key, and the next reading tells. */
async function edit({ actor, shelf, random }: Work, number: number): Promise<void> {
  const productId = random.pick(shelf.products).id;
  const path = `/api/products/${productId}`;
  const read = await actor.try({ kind: 'read-product', productId }, { method: 'GET', path, token: actor.token() });
  const base = Number(member(read.body, 'version'));
  if (read.outcome !== 'ok' || !Number.isInteger(base)) return;
  const price = 100 + random.below(10_000);
  const name = `${actor.username} ${number}`;
  const body = { name, price: { amount: price } };
  await actor.try(
    { kind: 'edit', productId, base, price, name },
    { method: 'PATCH', path, token: actor.token(), ifMatch: `"${base}"`, body },
  );
}

async function adjust({ actor, shelf, random }: Work, number: number): Promise<void> {
  const productId = random.pick(shelf.products).id;
  const delta = random.pick([-2, -1, 1, 2, 3]);
  const key = `${actor.username}-adjust-${number}`;
  const body = { delta, reason: 'counted' };
  const path = `/api/products/${productId}/stock/adjustments`;
  await actor.insist({ kind: 'adjust', productId, delta, key }, { method: 'POST', path, token: actor.token(), key, body });
}

/** Shipping twice is refused, so an unknown outcome is left to the next reading. */
async function dispatch({ actor, shelf, random }: Work): Promise<void> {
  const orders = [...shelf.orders.keys()];
  if (orders.length === 0) return;
  const orderId = random.pick(orders.slice(-30));
  const kind = random.below(3) === 0 ? 'deliver' : 'ship';
  await actor.try({ kind, orderId }, { method: 'POST', path: `/api/orders/${orderId}/${kind}`, token: actor.token() });
}

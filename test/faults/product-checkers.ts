import { type Checker, type Evidence, placedOrder } from './evidence.ts';
import type { Operation } from './history.ts';

const conservedStock: Checker = {
  invariant: 'I-01',
  promise: 'no piece is sold twice or lost: stock is what there was, and what was counted, less what was sold',
  check: (evidence) => [
    ...evidence.findingsUnderLoad.map(({ subject, detail }) => `under load: ${subject}: ${detail}`),
    ...evidence.findings.filter(({ invariant }) => invariant === 'I-01').map(({ subject, detail }) => `${subject}: ${detail}`),
    ...evidence.products.flatMap((product) => stockFaults(evidence, product)),
  ],
};

function stockFaults(evidence: Evidence, { id, sku, initialStock }: Evidence['products'][number]): readonly string[] {
  const sold = soldPieces(evidence, id);
  const counted = adjustments(evidence, id);
  return evidence.views.flatMap(({ process, stock }) => {
    const level = stock.get(id);
    if (level === undefined) return [`${sku} has no stock on ${process}`];
    const expected = initialStock + counted.sure - sold;
    const off = level.onHand - level.reserved - expected;
    const explained = counted.open.some((sum) => sum === off);
    const range = level.reserved >= 0 && level.onHand >= level.reserved;
    return explained && range
      ? []
      : [`${sku} on ${process}: ${level.onHand} on hand, ${level.reserved} reserved, ${expected} expected`];
  });
}

/** Of every order that is there and not cancelled. */
function soldPieces({ views }: Evidence, productId: string): number {
  const orders = [...(views[0]?.orders.values() ?? [])].filter(({ status }) => status !== 'cancelled');
  return orders.flatMap(({ items }) => items).reduce((sum, item) => sum + (item.productId === productId ? item.quantity : 0), 0);
}

/** What was counted for sure, and every sum that those may come to whose key was never answered. */
function adjustments({ operations }: Evidence, productId: string): { readonly sure: number; readonly open: readonly number[] } {
  const own = operations.filter((operation) => operation.kind === 'adjust' && operation.productId === productId);
  const byKey = [...Map.groupBy(own, ({ key }) => key).values()];
  const made = byKey.filter((group) => group.some(({ outcome }) => outcome === 'ok'));
  const open = byKey.filter((group) => group.every(({ outcome }) => outcome === 'unknown'));
  const sure = made.reduce((sum, [first]) => sum + (first?.delta ?? 0), 0);
  return { sure, open: open.reduce((sums, [first]) => sums.flatMap((sum) => [sum, sum + (first?.delta ?? 0)]), [0]) };
}

const edits = ({ operations }: Evidence) => operations.filter(({ kind, base }) => kind === 'edit' && base !== undefined);

const noLostUpdate: Checker = {
  invariant: 'I-07',
  promise: 'of the edits from one version one is accepted, and none of the accepted is lost',
  check: (evidence) => {
    const accepted = edits(evidence).filter(({ outcome }) => outcome === 'ok');
    const twice = [...Map.groupBy(accepted, ({ productId, base }) => `${productId} version ${base}`)]
      .filter(([, group]) => group.length > 1)
      .map(([from, group]) => `${group.length} edits of ${from} were accepted`);
    return [...twice, ...evidence.products.flatMap(({ id, sku }) => finalVersionFaults(evidence, { id, sku }))];
  },
};

function finalVersionFaults(evidence: Evidence, { id, sku }: { id: string; sku: string }): readonly string[] {
  const own = edits(evidence).filter(({ productId, outcome }) => productId === id && outcome !== 'fail');
  const accepted = own.filter(({ outcome }) => outcome === 'ok');
  return evidence.views.flatMap(({ process, products }) => {
    const product = products.get(id);
    if (product === undefined) return [`${sku} is not on ${process}`];
    const { version, name, price } = product;
    if (version < 1 + accepted.length || version > 1 + own.length)
      return [`${sku} has version ${version} on ${process} after ${accepted.length} to ${own.length} edits`];
    const last = own.filter(({ base }) => base === version - 1);
    const known = version === 1 || last.some((edit) => edit.name === name && edit.price === price);
    return known ? [] : [`${sku} on ${process} is not what its last edit made it`];
  });
}

const pricesOfTheMoment: Checker = {
  invariant: 'I-17',
  promise: 'the price that is charged was the catalog’s price while the order was placed',
  check: (evidence) => {
    const prices = new Map(evidence.products.map((product) => [product.id, priceSpans(evidence, product)]));
    return evidence.operations.flatMap((operation) => {
      const order = placedOrder(operation);
      if (order === undefined) return [];
      // an earlier request of the same key may have placed it
      const since = Math.min(...attemptsOf(evidence, operation).map(({ startedAt }) => startedAt));
      return order.items
        .filter(
          ({ productId, unitPrice }) =>
            !wasValid(prices.get(productId) ?? [], unitPrice.amount, { since, until: operation.endedAt }),
        )
        .map(({ productId, unitPrice }) => `order ${order.id}: ${unitPrice.amount} for ${productId}`);
    });
  },
};

function attemptsOf({ operations }: Evidence, { user, key }: Operation): readonly Operation[] {
  return operations.filter((other) => other.kind === 'place' && other.user === user && other.key === key);
}

interface PriceSpan {
  readonly price: number;
  readonly since: number;
  readonly until: number;
}

/** A price may hold from when its edit was sent, until the answer to the edit that came next. */
function priceSpans(evidence: Evidence, { id, initialPrice }: Evidence['products'][number]): readonly PriceSpan[] {
  const own = edits(evidence).filter(({ productId, outcome }) => productId === id && outcome !== 'fail');
  const endOf = (version: number) =>
    Math.min(
      Number.POSITIVE_INFINITY,
      ...own.filter(({ base, outcome }) => base === version && outcome === 'ok').map(({ endedAt }) => endedAt),
    );
  const first = { price: initialPrice, since: Number.NEGATIVE_INFINITY, until: endOf(1) };
  return [first, ...own.map(({ price = 0, base = 0, startedAt }) => ({ price, since: startedAt, until: endOf(base + 1) }))];
}

function wasValid(spans: readonly PriceSpan[], price: number, { since, until }: { since: number; until: number }): boolean {
  return spans.some((span) => span.price === price && span.since <= until && span.until >= since);
}

export const productCheckers: readonly Checker[] = [conservedStock, noLostUpdate, pricesOfTheMoment];

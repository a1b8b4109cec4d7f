import { isDeepStrictEqual } from 'node:util';
import { type Checker, type Evidence, type OrderView, placedOrder } from './evidence.ts';
import type { Operation } from './history.ts';

const next: Readonly<Record<string, readonly string[]>> = {
  placed: ['confirmed', 'cancelled'],
  confirmed: ['shipped', 'cancelled'],
  shipped: ['delivered'],
  delivered: [],
  cancelled: [],
};

/** Acknowledged orders by key: what every answer for the key said. */
function answersByKey({ operations }: Evidence): ReadonlyMap<string, readonly { operation: Operation; order: OrderView }[]> {
  const answers = operations.flatMap((operation) => {
    const order = placedOrder(operation);
    return order === undefined ? [] : [{ operation, order }];
  });
  return Map.groupBy(answers, ({ operation: { user, key = '' } }) => `${user} ${key}`);
}

function acknowledged(evidence: Evidence): ReadonlyMap<string, OrderView> {
  return new Map(
    [...answersByKey(evidence).values()].flatMap((answers) => answers.map(({ order }) => [order.id, order] as const)),
  );
}

/** The statuses that a client has seen of one order, in the order in which the questions ended before the next began. */
function sightings({ operations }: Evidence): ReadonlyMap<string, readonly Operation[]> {
  const kinds = new Set(['place', 'read-order', 'cancel', 'ship', 'deliver']);
  const seen = operations.filter(({ kind, outcome, body }) => kinds.has(kind) && outcome === 'ok' && body !== undefined);
  return Map.groupBy(seen, ({ body }) => (body as OrderView).id);
}

const legalTransitions: Checker = {
  invariant: 'I-03',
  promise: 'only legal transitions, a history without gaps, and no backward step in what a client sees',
  check: (evidence) => [
    ...[...evidence.timelines].flatMap(([id, entries]) => timelineFaults(id, entries)),
    ...evidence.views.flatMap(({ process, orders }) =>
      [...orders.values()].flatMap((order) => {
        const last = evidence.timelines.get(order.id)?.at(-1);
        return last !== undefined && (last.status !== order.status || last.sequence !== order.version)
          ? [
              `order ${order.id} is ${order.status} ${order.version} on ${process}, its history ends ${last.status} ${last.sequence}`,
            ]
          : [];
      }),
    ),
    ...[...sightings(evidence)].flatMap(([id, seen]) => backwardSteps(id, seen)),
  ],
};

function timelineFaults(id: string, entries: Evidence['timelines'] extends ReadonlyMap<string, infer Entries> ? Entries : never) {
  return entries.flatMap(({ sequence, status }, index) => {
    const before = entries[index - 1];
    const legal = before === undefined ? status === 'placed' : next[before.status]?.includes(status) === true;
    return legal && sequence === index + 1
      ? []
      : [`order ${id}: ${before?.status ?? 'nothing'} → ${status} as entry ${sequence}`];
  });
}

/** A replay answers the order as it was placed, so only what was not asked for by its key counts. */
function backwardSteps(id: string, seen: readonly Operation[]): readonly string[] {
  const readings = seen.filter(({ kind }) => kind !== 'place');
  return readings.flatMap((later) => {
    const version = (later.body as OrderView).version;
    const newer = readings.find((earlier) => earlier.endedAt <= later.startedAt && (earlier.body as OrderView).version > version);
    return newer === undefined ? [] : [`order ${id}: version ${version} after ${(newer.body as OrderView).version}`];
  });
}

const oneOrderPerKey: Checker = {
  invariant: 'I-04',
  promise: 'one order for each user and key, and the same body in every answer for it',
  check: (evidence) => [
    ...[...answersByKey(evidence)].flatMap(([key, [first, ...others]]) =>
      others
        .filter(({ order }) => !isDeepStrictEqual(order, first?.order))
        .map(({ order }) => `${key}: ${order.id}, ${first?.order.id}`),
    ),
    ...doubled([...acknowledgedByKey(evidence)]),
  ],
};

function acknowledgedByKey(evidence: Evidence): ReadonlyMap<string, string> {
  return new Map([...answersByKey(evidence)].map(([key, [first]]) => [key, first?.order.id ?? '']));
}

/** Two keys never name the same order. */
function doubled(pairs: readonly (readonly [string, string])[]): readonly string[] {
  return [...Map.groupBy(pairs, ([, id]) => id)]
    .filter(([, keys]) => keys.length > 1)
    .map(([id, keys]) => `order ${id} for ${keys.join(' and ')}`);
}

const nothingLost: Checker = {
  invariant: 'I-05',
  promise: 'every acknowledged write is there, on every process',
  check: (evidence) =>
    evidence.views
      .flatMap(({ process, orders, listed }) => {
        const all = new Set([...listed.values()].flat());
        return [...acknowledged(evidence).values()].flatMap((placed) => {
          const found = orders.get(placed.id);
          if (found === undefined) return [`order ${placed.id} is not on ${process}`];
          if (!all.has(placed.id)) return [`order ${placed.id} is in no list on ${process}`];
          return sameContent(found, placed) ? [] : [`order ${placed.id} is another one on ${process}`];
        });
      })
      .concat(lostCancels(evidence)),
};

function sameContent(one: OrderView, other: OrderView): boolean {
  const content = ({ userId, items, total, createdAt }: OrderView) => ({ userId, items, total, createdAt });
  return isDeepStrictEqual(content(one), content(other));
}

const reached: Readonly<Record<string, string>> = { cancel: 'cancelled', ship: 'shipped', deliver: 'delivered' };

function lostCancels({ operations, timelines }: Evidence): string[] {
  return operations.flatMap(({ kind, outcome, orderId = '' }) => {
    const status = reached[kind];
    if (status === undefined || outcome !== 'ok') return [];
    const known = timelines.get(orderId)?.some((entry) => entry.status === status) === true;
    return known ? [] : [`order ${orderId} was answered ${status} and is not`];
  });
}

const refusalsLeaveNothing: Checker = {
  invariant: 'I-06',
  promise: 'a definite refusal left nothing behind, and nothing is there that nobody was told of',
  check: (evidence) => {
    const known = acknowledged(evidence);
    const open = evidence.operations.filter(isOpenPlacement(evidence)).length;
    return evidence.views.flatMap(({ process, listed }) => {
      const strangers = [...new Set([...listed.values()].flat())].filter((id) => !known.has(id));
      return strangers.length > open ? [`${strangers.length} orders on ${process} that nobody was told of: ${strangers[0]}`] : [];
    });
  },
};

/** Its key was asked for until the end, and never answered: zero or one order. */
function isOpenPlacement({ operations }: Evidence): (operation: Operation) => boolean {
  const definite = new Set(
    operations.filter(({ kind, outcome }) => kind === 'place' && outcome !== 'unknown').map(({ user, key }) => `${user} ${key}`),
  );
  const counted = new Set<string>();
  return ({ kind, user, key }) => {
    const name = `${user} ${key}`;
    if (kind !== 'place' || definite.has(name) || counted.has(name)) return false;
    counted.add(name);
    return true;
  };
}

const wholeOrders: Checker = {
  invariant: 'I-12',
  promise: 'an order is whole: what was asked for, and totals that are the sums of their lines',
  check: (evidence) =>
    evidence.operations.flatMap((operation) => {
      const order = placedOrder(operation);
      if (order === undefined) return [];
      const wished = new Map(operation.items?.map(({ productId, quantity }) => [productId, quantity]));
      const asked =
        order.items.length === wished.size && order.items.every(({ productId, quantity }) => wished.get(productId) === quantity);
      const sums = order.items.every(({ unitPrice, quantity, lineTotal }) => lineTotal.amount === unitPrice.amount * quantity);
      const total = order.items.reduce((sum, { lineTotal }) => sum + lineTotal.amount, 0) === order.total.amount;
      return asked && sums && total ? [] : [`order ${order.id} is not what was asked for, or does not add up`];
    }),
};

const readsOwnWrites: Checker = {
  invariant: 'I-16',
  promise: 'a client reads what he has written',
  check: ({ operations }) => {
    const placedAt = new Map(
      operations.flatMap((operation) => {
        const order = placedOrder(operation);
        return order === undefined ? [] : [[order.id, operation.endedAt] as const];
      }),
    );
    return operations
      .filter(
        ({ kind, status, orderId = '', startedAt }) =>
          kind === 'read-order' && status === 404 && startedAt >= (placedAt.get(orderId) ?? Number.POSITIVE_INFINITY),
      )
      .map(({ orderId }) => `order ${orderId} was placed and is not found`);
  },
};

export const orderCheckers: readonly Checker[] = [
  legalTransitions,
  oneOrderPerKey,
  nothingLost,
  refusalsLeaveNothing,
  wholeOrders,
  readsOwnWrites,
];

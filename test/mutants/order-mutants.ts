import { embedded, type Mutant, services } from './mutant.ts';

const place = 'src/modules/orders/place-order.ts';
const abandon = 'src/modules/orders/abandon-attempt.ts';
const transitions = 'src/modules/orders/order-transitions.ts';
const store = 'src/modules/orders/order-store.ts';
const key = (story: string) => embedded('placing-orders', `an idempotency key ${story}`);
const strangers = embedded('order-lifecycle', 'who may see and do what hides the orders of others, as if they did not exist');

/** One order for each attempt, and none over pieces that were given back. */
export const orderMutants: readonly Mutant[] = [
  {
    guard: 'an order that moves twice in a transaction has its first move written first',
    file: transitions,
    text: '(one?.version ?? 0) - (other?.version ?? 0)',
    mutation: '0',
    noticedBy: [
      embedded(
        'settling-orders',
        'transitions that share a transaction may move an order twice, beside another that moves on from the same state',
      ),
    ],
  },
  {
    guard: 'a cursor of the list of orders holds an id',
    file: 'src/modules/orders/index.ts',
    text: 'z.tuple([idParameter])',
    mutation: 'z.tuple([z.string()])',
    noticedBy: [
      embedded('order-lifecycle', 'the list of orders refuses a forged cursor, whose text no column of ids could hold'),
      services('order-lifecycle', 'the list of orders refuses a forged cursor, whose text no column of ids could hold'),
    ],
  },
  {
    guard: 'orders and abandoned attempts compete for one primary key',
    file: 'migrations/0011-orders-claims.ts',
    text: `\`reservation_id \${id} NOT NULL PRIMARY KEY\`,
        \`kind \${ascii(5)} NOT NULL\`,
        \`order_id \${id} NULL\`,
        \`user_id \${id} NULL\`,
        \`fingerprint \${ascii(64)} NULL\`,
        \`created_at \${time} NOT NULL\`,`,
    mutation: `\`reservation_id \${id} NOT NULL\`,
        \`kind \${ascii(5)} NOT NULL\`,
        \`order_id \${id} NULL\`,
        \`user_id \${id} NULL\`,
        \`fingerprint \${ascii(64)} NULL\`,
        \`created_at \${time} NOT NULL\`,
        'PRIMARY KEY (reservation_id, kind)',`,
    noticedBy: [
      embedded(
        'order-recovery',
        'a process that dies after it reserved can not place the order any more once the sweep has claimed the attempt',
      ),
      services(
        'claim-races',
        'a sweep over an order that is still being written waits, and sells the pieces when the order is there',
      ),
    ],
  },
  {
    guard: 'a void claim is committed before the pieces are given back',
    file: abandon,
    text: 'const claim = await claimVoid(reservationId);',
    mutation: 'await catalog.release(reservationId);\n    const claim = await claimVoid(reservationId);',
    noticedBy: [
      services(
        'claim-races',
        'a sweep over an order that is still being written waits, and sells the pieces when the order is there',
      ),
    ],
  },
  {
    guard: 'who gives up an attempt that was claimed by an order answers that order',
    file: abandon,
    text: 'if (claim === undefined) throw error;\n      return claim;',
    mutation: "return { kind: 'void' };",
    noticedBy: [embedded('order-recovery', 'a COMMIT without an answer that happened is answered with the order')],
  },
  {
    guard: 'a void attempt is released before the next one',
    file: place,
    text: 'await catalog.release(attempt.reservationId);',
    mutation: '',
    noticedBy: [embedded('order-recovery', 'a retry is not refused for the pieces that its own given-up attempt still holds')],
  },
  {
    guard: 'the fingerprint of the claim that won decides between replay and refusal',
    file: place,
    text: 'if (claim.fingerprint !== attempt.fingerprint) throw keyReused();',
    mutation: '',
    noticedBy: [
      key('is refused for another body, also while the first is under way'),
      key('is refused with another expected total, also while the first is under way'),
    ],
  },
  {
    guard: 'a reservation of other items without a claim is never adopted',
    file: place,
    text: "if (reservation.outcome === 'mismatch') throw keyReused();",
    mutation: '',
    noticedBy: [embedded('order-recovery', 'a retry with another body is refused, and leaves the attempt to who made it')],
  },
  {
    guard: 'a key belongs to its user',
    file: place,
    text: "derivedId('order', userId, idempotencyKey, String(number))",
    mutation: "derivedId('order', idempotencyKey, String(number))",
    noticedBy: [key('belongs to its user')],
  },
  {
    guard: 'a key is one attempt',
    file: place,
    text: "derivedId('order', userId, idempotencyKey, String(number))",
    mutation: 'newId(now())',
    noticedBy: [key('makes one order of twenty copies that run at once')],
  },
  {
    guard: 'a replay is the order as it was placed',
    file: store,
    text: "return { ...order, status: 'placed', version: 1, updatedAt: order.createdAt };",
    mutation: 'return order;',
    noticedBy: [key('answers the order as it was placed, whatever became of it')],
  },
  {
    guard: 'what a request placed itself is not called a repeat',
    file: place,
    text: 'claim.orderId !== ownId',
    mutation: 'true',
    noticedBy: [embedded('order-recovery', 'a COMMIT without an answer that happened is answered with the order')],
  },
  {
    guard: 'a COMMIT in doubt is not taken for done',
    file: place,
    text: 'if (!isDuplicateKey(error)) return giveUp(attempt, error, order.id);',
    mutation: 'if (!isDuplicateKey(error)) return { order, replayed: false };',
    noticedBy: [
      embedded('order-recovery', 'a COMMIT without an answer that did not happen is answered 503, and never happens'),
      services('claim-races', 'a COMMIT in doubt whose transaction is still open is refused and leaves nothing when it is not'),
    ],
  },
  {
    guard: 'an order is answered after its COMMIT',
    file: 'src/modules/orders/order-inserter.ts',
    text: 'await db.transaction((tx) => insertAll(tx, sorted));',
    mutation: 'db.transaction((tx) => insertAll(tx, sorted)).catch(() => undefined);',
    noticedBy: [embedded('order-recovery', 'a COMMIT without an answer that did not happen is answered 503, and never happens')],
  },
  {
    guard: 'a void claim has a connection of its own',
    file: 'src/modules/orders/claim-store.ts',
    text: '{ fresh: true },',
    mutation: '',
    noticedBy: [
      services('claim-races', 'a void claim does not wait for a connection of the pool: those may all be waiting for it'),
    ],
  },
  {
    guard: 'a transition has what was read in its WHERE',
    file: transitions,
    text: 'AND version = ? AND status = ?`',
    mutation: 'AND ? IS NOT NULL AND ? IS NOT NULL`',
    noticedBy: [
      embedded('settling-orders', 'a transition is refused when the order is no longer what the decision rested on'),
      services('settling-orders', 'a transition is refused when the order is no longer what the decision rested on'),
    ],
  },
  {
    guard: 'a transition that changed no row is none',
    file: transitions,
    text: "if (affected !== group.length) throw new Error('An order changed although it was locked.');",
    mutation: '',
    noticedBy: [embedded('settling-orders', 'a transition is refused when the order is no longer what the decision rested on')],
  },
  {
    guard: 'a transition locks the order that it decides about',
    file: transitions,
    text: 'readOrderRows(tx, ids, { lock: true })',
    mutation: 'readOrderRows(tx, ids)',
    noticedBy: [
      services('row-locks', 'a transition waits for another one of the same order, and is then told in which state that left it'),
    ],
  },
  {
    guard: 'a placed order is confirmed before it is shipped',
    file: 'src/modules/orders/order.ts',
    text: "placed: ['confirmed', 'cancelled'],",
    mutation: "placed: ['confirmed', 'shipped', 'cancelled'],",
    noticedBy: [embedded('settling-orders', 'a transition leads only to where the state of the order allows')],
  },
  {
    guard: 'a shipped order is not cancelled',
    file: 'src/modules/orders/order.ts',
    text: "shipped: ['delivered'],",
    mutation: "shipped: ['delivered', 'cancelled'],",
    noticedBy: [embedded('settling-orders', 'a transition leads only to where the state of the order allows')],
  },
  {
    guard: 'a confirmation that a cancel has overtaken settles again',
    file: 'src/modules/orders/settle-order.ts',
    text: "error.code === 'illegal-transition') return false;",
    mutation: "error.code === 'illegal-transition') return true;",
    noticedBy: [
      embedded(
        'settling-orders',
        'a cancel that comes between the sale and the confirmation has its pieces back before its own event was even sent',
      ),
    ],
  },
  {
    guard: 'only what was sold is confirmed',
    file: 'src/modules/orders/settle-order.ts',
    text: "if (state === 'committed' && (await confirm(orderId, cause))) return true;",
    mutation: 'if (await confirm(orderId, cause)) return true;',
    noticedBy: [embedded('settling-orders', 'an order whose pieces were given back by somebody is never confirmed')],
  },
  {
    guard: 'orders that are settled at the same time are read together',
    file: 'src/modules/orders/coalesced-reads.ts',
    text: 'const limits = { maxItems: 64,',
    mutation: 'const limits = { maxItems: 1,',
    noticedBy: [
      embedded('settling-orders', 'many events at once ask the stores no more often than one event does, by the relay'),
    ],
  },
  {
    guard: 'each of the orders that are read together is told its own state',
    file: 'src/modules/orders/coalesced-reads.ts',
    text: '(id) => rows.get(id)',
    mutation: '() => [...rows.values()][0]',
    noticedBy: [embedded('settling-orders', 'many events at once let none that can not be handled hold up another, by a queue')],
  },
  {
    guard: 'a message is known by its own id among those that are looked up together',
    file: 'src/modules/orders/coalesced-reads.ts',
    text: '(id) => received.has(id)',
    mutation: '() => received.size > 0',
    noticedBy: [embedded('settling-orders', 'many events at once that are new are handled beside one that came before')],
  },
  {
    guard: 'a cancel has its own event, by which the pieces are given back',
    file: 'src/modules/orders/order-message.ts',
    text: "return type === 'order.placed' || type === 'order.cancelled';",
    mutation: "return type === 'order.placed';",
    noticedBy: [
      embedded('order-lifecycle', 'the life of an order ends with a cancel, which gives the pieces back and may be repeated'),
    ],
  },
  {
    guard: 'the sweep waits a minute for an order that may still come',
    file: 'src/modules/orders/index.ts',
    text: 'heldFor: 60_000',
    mutation: 'heldFor: 0',
    noticedBy: [
      embedded('settling-orders', 'the sweep leaves a reservation alone for a minute, because its order may still come'),
    ],
  },
  {
    guard: 'the sweep makes an attempt void before it gives the pieces back',
    file: 'src/modules/orders/settle-order.ts',
    text: 'await abandon(reservationId);\n',
    mutation: "(await catalog.release(reservationId), { kind: 'void' as const });\n",
    noticedBy: [
      embedded(
        'order-recovery',
        'a process that dies after it reserved can not place the order any more once the sweep has claimed the attempt',
      ),
    ],
  },
  {
    guard: 'the void claim of a key is kept',
    file: 'src/modules/orders/order-purge.ts',
    text: " AND SUBSTR(reservation_id, 15, 1) = '7'",
    mutation: '',
    noticedBy: [
      embedded('settling-orders', 'purging forgets abandoned attempts that nobody can come back to, and keeps those of a key'),
    ],
  },
  {
    guard: 'an order of somebody else is not found',
    file: store,
    text: 'if (row === undefined || (userId !== undefined && row.user_id !== userId))',
    mutation: 'if (row === undefined)',
    noticedBy: [strangers],
  },
  {
    guard: 'the timeline of somebody else is not found',
    file: store,
    text: 'if (row === undefined || (query.userId !== undefined && row.user_id !== query.userId))',
    mutation: 'if (row === undefined)',
    noticedBy: [strangers],
  },
  {
    guard: 'an order of somebody else can not be cancelled',
    file: transitions,
    text: '|| (request.userId !== undefined && order.userId !== request.userId)',
    mutation: '',
    noticedBy: [strangers],
  },
  {
    guard: 'a customer lists his own orders',
    file: 'src/modules/orders/order-routes.ts',
    text: "hasRole(principal, 'staff') ? query.userId : principal.userId;",
    mutation: 'query.userId;',
    noticedBy: [strangers],
  },
];

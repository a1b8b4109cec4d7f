import { embedded, type Mutant, services } from './mutant.ts';

const outbox = 'src/modules/orders/outbox-store.ts';
const relay = 'src/modules/orders/outbox-relay.ts';
const consumer = 'src/shared/queue-consumer.ts';
const overtaken = 'an event belongs to the relay that took it over: the late one marks nothing';
const between = 'an event that another relay leases between the look and the lease is left to it';

/** Every event arrives, and takes effect once. */
export const eventMutants: readonly Mutant[] = [
  {
    guard: 'the relay looks for what is unpublished, and not for ids beyond the last one',
    file: outbox,
    text: `  const candidates = await db.rows<OutboxRow>(
    \`SELECT \${eventColumns} FROM orders_outbox WHERE \${due(db)} ORDER BY due_at, id LIMIT \${limit}\`,
  );`,
    mutation: `  const cursor = leaseEvents as unknown as { last?: string };
  const candidates = await db.rows<OutboxRow>(
    \`SELECT \${eventColumns} FROM orders_outbox WHERE \${due(db)} AND id > '\${cursor.last ?? ''}' ORDER BY id LIMIT \${limit}\`,
  );
  cursor.last = candidates.at(-1)?.id ?? cursor.last ?? '';`,
    noticedBy: [
      embedded(
        'outbox-leases',
        'an event that is committed late, with a lower id than those that went out, is sent all the same',
      ),
    ],
  },
  {
    guard: 'an event is leased only while it is still due',
    file: outbox,
    text: 'AND ${stillDue(db)}`',
    mutation: '`',
    noticedBy: [embedded('outbox-leases', between), services('outbox-leases', between)],
  },
  {
    guard: 'who lost the lease of an event does not mark it published',
    file: outbox,
    text: 'WHERE id IN ${placeholders(1, ids.length)} AND leased_by = ?`,\n    [...ids, lease],',
    mutation: 'WHERE id IN ${placeholders(1, ids.length)} AND ? IS NOT NULL`,\n    [...ids, lease],',
    noticedBy: [embedded('outbox-leases', overtaken), services('outbox-leases', overtaken)],
  },
  {
    guard: 'who lost the lease of an event does not give it back',
    file: outbox,
    text: 'WHERE id IN ${placeholders(1, ids.length)} AND leased_by = ?`,\n    [error.slice(0, 500), ...ids, lease],',
    mutation: 'WHERE id IN ${placeholders(1, ids.length)} AND ? IS NOT NULL`,\n    [error.slice(0, 500), ...ids, lease],',
    noticedBy: [embedded('outbox-leases', overtaken)],
  },
  {
    guard: 'who lost the lease of an event does not put it aside',
    file: outbox,
    text: 'WHERE id = ? AND leased_by = ?`',
    mutation: 'WHERE id = ? AND ? IS NOT NULL`',
    noticedBy: [embedded('outbox-leases', overtaken)],
  },
  {
    guard: 'an event that can not be handled is put aside after ten tries',
    file: relay,
    text: 'dead: event.attempts + 1 >= maxAttempts,',
    mutation: 'dead: false,',
    noticedBy: [
      embedded('order-recovery', 'an event that can not be handled is put aside after ten tries and holds up no other'),
    ],
  },
  {
    guard: 'a store that is down does not use up the tries of an event',
    file: relay,
    text: "(isOutage(error) ? 'outages' : 'faults')",
    mutation: "'faults'",
    noticedBy: [
      embedded(
        'queued-events',
        'an order whose events go through SQS is accepted while SQS is down, and confirmed when it is back',
      ),
    ],
  },
  {
    guard: 'the relay pauses while nothing goes out',
    file: relay,
    text: 'throw first?.error;',
    mutation: 'return false;',
    noticedBy: [embedded('order-recovery', 'an event waits as long as a store is down')],
  },
  {
    guard: 'an event counts as sent when its handler has come to its end',
    file: 'src/shared/event-queue.ts',
    text: 'await handle(message);',
    mutation: 'handle(message).catch(() => undefined);',
    noticedBy: [embedded('order-recovery', 'an event is delivered although the relay that took it died')],
  },
  {
    guard: 'only what SQS took counts as sent',
    file: 'src/shared/sqs-queue.ts',
    text: 'if (taken.has(id)) return { id, sent: true };',
    mutation: 'if (taken.size > 0) return { id, sent: true };',
    noticedBy: [
      embedded('queued-events', 'an order whose events go through SQS is sent again when SQS took only a part of the batch'),
    ],
  },
  {
    guard: 'the inbox remembers what was handled',
    file: 'src/modules/orders/order-message.ts',
    text: ' || (await isReceived(id))',
    mutation: '',
    noticedBy: [embedded('queued-events', 'a message that comes three times and out of order is handled once')],
  },
  {
    guard: 'the inbox row goes with the transition that the event caused',
    file: 'src/modules/orders/order-transitions.ts',
    text: 'changes.map(({ request }) => request.cause).filter((cause) => cause !== undefined),',
    mutation: '[],',
    noticedBy: [embedded('queued-events', 'a message that comes three times and out of order is handled once')],
  },
  {
    guard: 'a message is held while it is handled',
    file: consumer,
    text: 'const holding = setInterval(extend, holdSeconds * 500);',
    mutation: 'const holding = setInterval(extend, 500_000);',
    noticedBy: [
      embedded('queued-events', 'a message stays with a handler that takes longer than the time for which messages are held'),
    ],
  },
  {
    guard: 'a message that failed goes back, until the queue puts it aside',
    file: consumer,
    text: "if (outcome === 'done') return",
    mutation: "if (outcome === 'done' || !closing) return",
    noticedBy: [embedded('queued-events', 'a message that nobody can read goes to the dead-letter queue, and holds nobody up')],
  },
  {
    guard: 'a store that is down does not use up the receives of a message',
    file: consumer,
    text: 'if (!isOutage(error)) return { error };',
    mutation: 'return { error };',
    noticedBy: [embedded('queued-events', 'a message waits for a store that is down instead of becoming a dead letter')],
  },
  {
    guard: 'a consumer that stops gives back what it was handling',
    file: consumer,
    text: 'const retrySeconds = closing ? 0 :',
    mutation: 'const retrySeconds = closing ? 60 :',
    noticedBy: [embedded('queued-events', 'a message that was being handled when its process stopped is handled by another')],
  },
  {
    guard: 'an event that was not sent is never purged',
    file: 'src/modules/orders/order-purge.ts',
    text: 'WHERE published_at < ${databaseClock(db, -publishedEventsKeptMs)}',
    mutation: 'WHERE created_at < ${databaseClock(db, -publishedEventsKeptMs)}',
    noticedBy: [embedded('settling-orders', 'purging never removes an event that was not sent, however old it is')],
  },
];

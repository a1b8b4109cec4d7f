import type { BackgroundTask } from '../../shared/background.ts';
import { type Database, isStoreDown } from '../../shared/database.ts';
import type { EventQueue } from '../../shared/event-queue.ts';
import { Failure } from '../../shared/failure.ts';
import { newId } from '../../shared/identifier.ts';
import type { OrderEvent } from './orders-api.ts';
import { leaseEvents, markFailed, markPublished, type OutgoingEvent } from './outbox-store.ts';

/** What travels: enough to find the order, and its place in that order's life. */
export interface OrderMessage {
  readonly id: string;
  readonly type: OrderEvent['type'];
  readonly orderId: string;
  readonly sequence: number;
  /** RFC 3339 UTC */
  readonly at: string;
}

const batchSize = 64;
/** how long a relay that died holds up its events; a batch takes a fraction of it */
const leaseMs = 10_000;
const longestDelayMs = 60_000;
/** after so many failures that are not the fault of a store, an event is put aside for somebody to look at */
const maxAttempts = 10;

/**
 * The relay: leases unpublished events, sends them, marks what was sent. No transaction is open while it sends; a relay that
 * dies leaves leases that run out, so an event may be sent twice and is never lost.
 */
export function relayTask({ db, queue, everyMs }: { db: Database; queue: EventQueue; everyMs: number }): BackgroundTask {
  return {
    name: 'orders-relay',
    everyMs,
    run: async () => {
      const lease = newId();
      const events = await leaseEvents(db, { lease, limit: batchSize, leaseMs });
      if (events.length === 0) return false;
      const results = await queue.send(events.map((event) => ({ id: event.id, body: JSON.stringify(toMessage(event)) })));
      await markPublished(
        db,
        lease,
        results.filter((result) => result.sent).map((result) => result.id),
      );
      for (const result of results) {
        const event = events.find(({ id }) => id === result.id);
        if (!result.sent && event !== undefined) await giveBack({ db, lease, event, error: result.error });
      }
      return events.length === batchSize;
    },
  };
}

async function giveBack({
  db,
  lease,
  event,
  error,
}: {
  db: Database;
  lease: string;
  event: OutgoingEvent;
  error: unknown;
}): Promise<void> {
  // a store that is down, or too busy, is no fault of the event
  const counts = !isStoreDown(error) && !(error instanceof Failure);
  await markFailed(db, {
    lease,
    id: event.id,
    delayMs: Math.min(longestDelayMs, 200 * 2 ** Math.min(event.attempts, 10)),
    counts,
    dead: counts && event.attempts + 1 >= maxAttempts,
    error: error instanceof Error ? error.message : String(error),
  });
}

function toMessage({ id, type, orderId, sequence, at }: OutgoingEvent): OrderMessage {
  return { id, type, orderId, sequence, at };
}

/** What the worker does with a message: only a placed or cancelled order has something to settle. @throws on a message it can't read */
export function orderMessageHandler(settle: (orderId: string) => Promise<void>): (body: string) => Promise<void> {
  return async (body) => {
    const message: unknown = JSON.parse(body);
    if (typeof message !== 'object' || message === null || !('orderId' in message) || typeof message.orderId !== 'string') {
      throw new TypeError('The message names no order.');
    }
    if ('type' in message && message.type !== 'order.placed' && message.type !== 'order.cancelled') return;
    await settle(message.orderId);
  };
}

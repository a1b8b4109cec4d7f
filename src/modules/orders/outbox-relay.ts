import { setTimeout as pause } from 'node:timers/promises';
import type { BackgroundTask } from '../../shared/background.ts';
import type { Database } from '../../shared/database.ts';
import { type EventQueue, isOutage } from '../../shared/event-queue.ts';
import { newId } from '../../shared/identifier.ts';
import type { OrderEvent } from './orders-api.ts';
import { leaseEvents, markFailed, markPublished, type OutgoingEvent, returnEvents } from './outbox-store.ts';

/** What travels: enough to find the order, and its place in that order's life. */
export interface OrderMessage {
  readonly id: string;
  readonly type: OrderEvent['type'];
  readonly orderId: string;
  readonly sequence: number;
  /** RFC 3339 UTC */
  readonly at: string;
}

/** four transactions' worth, so that the catalog sells one part while orders confirms another */
const batchSize = 256;
/** A lease of so many events, and not all that there is place for, tells of load: more gather before the next one. A client alone never waits. */
const busyFrom = 8;
const gatherMs = 5;
/** how long a relay that died holds up its events; a batch takes a fraction of it */
const leaseMs = 10_000;
const longestDelayMs = 60_000;
/** how long events wait that an outage kept from being sent; the relay itself pauses longer and longer while nothing goes out */
const outageDelayMs = 500;
const longestBackoffMs = 3000;
/** an idle relay looks this much less often than one that had work */
const idleFactor = 8;
/** after so many failures that are no outage, an event is put aside for somebody to look at */
const maxAttempts = 10;

/**
 * The relay: leases unpublished events, sends them, marks what was sent. No transaction is open while it sends; a relay that
 * dies leaves leases that run out, so an event may be sent twice and is never lost.
 */
export function relayTask({ db, queue, everyMs }: { db: Database; queue: EventQueue; everyMs: number }): BackgroundTask {
  let busy = false;
  return {
    name: 'orders-relay',
    everyMs,
    longestPauseMs: idleFactor * everyMs,
    longestBackoffMs,
    run: async () => {
      if (busy) await pause(gatherMs);
      const lease = newId();
      const events = await leaseEvents(db, { lease, limit: batchSize, leaseMs });
      busy = events.length >= busyFrom && events.length < batchSize;
      if (events.length === 0) return false;
      const results = await queue.send(events.map((event) => ({ id: event.id, body: JSON.stringify(toMessage(event)) })));
      await markPublished(
        db,
        lease,
        results.filter((result) => result.sent).map((result) => result.id),
      );
      const failed = results.filter((result) => !result.sent);
      await giveBackAll({ db, lease, events, failed });
      // nothing went out, and nothing will before the pause that a failure brings
      const [first] = failed;
      if (failed.length === events.length && failed.every(({ error }) => isOutage(error))) throw first?.error;
      return events.length > failed.length;
    },
  };
}

interface Batch {
  readonly db: Database;
  readonly lease: string;
  readonly events: readonly OutgoingEvent[];
}

/** An outage is nobody's fault: all that it hit goes back at once, uncounted. What a handler refused counts for its event. */
async function giveBackAll({ failed, ...batch }: Batch & { failed: readonly { id: string; error: unknown }[] }): Promise<void> {
  const { outages = [], faults = [] } = Object.groupBy(failed, ({ error }) => (isOutage(error) ? 'outages' : 'faults'));
  const [first] = outages;
  if (first !== undefined) {
    const ids = outages.map(({ id }) => id);
    await returnEvents(batch.db, { lease: batch.lease, ids, delayMs: outageDelayMs, error: textOf(first.error) });
  }
  for (const { id, error } of faults) {
    const event = batch.events.find((candidate) => candidate.id === id);
    if (event !== undefined) await giveBack({ ...batch, event, error });
  }
}

async function giveBack({
  db,
  lease,
  event,
  error,
}: Pick<Batch, 'db' | 'lease'> & { event: OutgoingEvent; error: unknown }): Promise<void> {
  await markFailed(db, {
    lease,
    id: event.id,
    delayMs: Math.min(longestDelayMs, 200 * 2 ** Math.min(event.attempts, 10)),
    dead: event.attempts + 1 >= maxAttempts,
    error: textOf(error),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function toMessage({ id, type, orderId, sequence, at }: OutgoingEvent): OrderMessage {
  return { id, type, orderId, sequence, at };
}

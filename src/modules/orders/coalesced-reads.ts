import { createBatcher } from '../../shared/batcher.ts';
import type { Database } from '../../shared/database.ts';
import { receivedAmong } from './inbox-store.ts';
import { type OrderRow, readOrderRows } from './order-store.ts';

/**
 * Reads one thing by its id. Calls that come while a read is under way share the next one, so what is answered was never read
 * before it was asked for.
 */
export type CoalescedRead<Value> = (id: string) => Promise<Value>;

const limits = { maxItems: 64, maxWeight: 64 };

/** The present state of an order, or undefined. */
export function createOrderLookUp(db: Database): CoalescedRead<OrderRow | undefined> {
  return coalesced(async (ids) => {
    const rows = new Map((await readOrderRows(db, ids)).map((row) => [row.id, row]));
    return (id) => rows.get(id);
  });
}

/** Whether an event was handled before. */
export function createReceivedLookUp(db: Database): CoalescedRead<boolean> {
  return coalesced(async (ids) => {
    const received = await receivedAmong(db, ids);
    return (id) => received.has(id);
  });
}

function coalesced<Value>(read: (ids: readonly string[]) => Promise<(id: string) => Value>): CoalescedRead<Value> {
  return createBatcher<string, Value>({
    limits,
    weigh: () => 1,
    // nothing that one id causes fails the read of the others
    mayRunAlone: () => false,
    run: async (ids) => {
      const valueFor = await read([...new Set(ids)].sort());
      return ids.map((id) => ({ value: valueFor(id) }));
    },
  });
}

import { appendEvents, leaseEvents, markFailed, markPublished, returnEvents } from '../src/modules/orders/outbox-store.ts';
import type { Database } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { openShopStore } from './harness/module-door.ts';

/** Two relays over one outbox, step by step. */

let db: Database;
let closeStore: () => Promise<void>;
beforeEach(async () => {
  ({ db, close: closeStore } = await openShopStore());
});
afterEach(() => closeStore());

const append = (orderId = newId()) =>
  db.transaction((tx) => appendEvents(tx, [{ orderId, type: 'order.placed', sequence: 1, at: new Date().toISOString() }]));
const take = async (lease: string, { from = db, leaseMs = 10_000 } = {}) =>
  (await leaseEvents(from, { lease, limit: 64, leaseMs })).map(({ id }) => id);
const rowOf = async (id: string | undefined) => {
  const [row] = await db.rows<{ leased_by: string; published_at: string | null; attempts: number; last_error: string | null }>(
    'SELECT leased_by, published_at, attempts, last_error FROM orders_outbox WHERE id = ?',
    [id ?? ''],
  );
  return row;
};

describe('an event', () => {
  it('that is leased is not taken by another relay before the lease ends', async () => {
    await append();
    const first = await take(newId());
    expect(first).toHaveLength(1);
    expect(await take(newId())).toEqual([]);
    await db.run("UPDATE orders_outbox SET leased_until = '1970-01-01 00:00:00.000'");
    expect(await take(newId())).toEqual(first);
  });

  it('that another relay leases between the look and the lease is left to it', async () => {
    await append();
    const quick = newId();
    let taken: readonly string[] | undefined;
    const slowly: Database = {
      ...db,
      rows: async (sql, params) => {
        const found = await db.rows(sql, params);
        taken ??= await take(quick);
        // what the store answers is handed on as it is
        return found as never;
      },
    };
    expect(await take(newId(), { from: slowly })).toEqual([]);
    expect(taken).toHaveLength(1);
    expect(await rowOf(taken?.[0])).toMatchObject({ leased_by: quick });
  });

  it('belongs to the relay that took it over: the late one marks nothing', async () => {
    await append();
    const [late, next] = [newId(), newId()];
    const [id = ''] = await take(late);
    await db.run("UPDATE orders_outbox SET leased_until = '1970-01-01 00:00:00.000'");
    expect(await take(next)).toEqual([id]);
    const untouched = { leased_by: next, published_at: null, attempts: 0, last_error: null };
    await markPublished(db, late, [id]);
    expect(await rowOf(id)).toEqual(untouched);
    await returnEvents(db, { lease: late, ids: [id], delayMs: 0, error: 'late' });
    expect(await rowOf(id)).toEqual(untouched);
    await markFailed(db, { lease: late, id, delayMs: 0, dead: true, error: 'late' });
    expect(await rowOf(id)).toEqual(untouched);
    await markPublished(db, next, [id]);
    expect(await rowOf(id)).toMatchObject({ published_at: expect.any(String) });
    expect(await take(newId())).toEqual([]);
  });

  it('that is committed late, with a lower id than those that went out, is sent all the same', async () => {
    const late = newId();
    await append();
    const lease = newId();
    await markPublished(db, lease, await take(lease));
    await append();
    await db.run('UPDATE orders_outbox SET id = ? WHERE published_at IS NULL', [late]);
    expect(await take(newId())).toEqual([late]);
  });
});

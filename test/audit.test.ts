import { auditShop } from '../src/audit-shop.ts';
import { readReservations, reservationPages } from '../src/modules/catalog/index.ts';
import { auditOrders, auditReservations } from '../src/modules/orders/index.ts';
import { createAuditRun } from '../src/shared/audit-run.ts';
import { placeholders } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { auditOfOldRows, findingsOf } from './harness/audit-findings.ts';
import { type AuditedShop, openAuditedShop } from './harness/audited-shop.ts';
import { eventDamages, orderDamages } from './harness/order-damages.ts';
import { reservationDamages, stockDamages } from './harness/stock-damages.ts';

/** The checker is alive: each kind of damage is found, named by invariant and row, and nothing else is. */

let shop: AuditedShop;
beforeEach(async () => {
  shop = await openAuditedShop();
});
afterEach(() => shop.close());

const someTime = '2026-01-01 00:00:00.000';
const damages = [...stockDamages, ...reservationDamages, ...orderDamages, ...eventDamages];

/** Each invariant with what it names, once. */
async function kindsFound(): Promise<readonly string[]> {
  const findings = await findingsOf(shop.db);
  for (const { subject, detail } of findings) expect(`${subject} ${detail}`).toMatch(/[0-9a-f-]{36}|\d{4}-\d\d-\d\d/);
  return [...new Set(findings.map(({ invariant, subject }) => `${invariant} ${subject.split(' ')[0]}`))].sort();
}

describe('the audit', () => {
  it('finds nothing in a sound shop with orders in every state, and says how much it looked at', async () => {
    const run = auditOfOldRows();
    expect(await Array.fromAsync(auditShop({ db: shop.db }, run))).toEqual([]);
    expect(Object.fromEntries(run.counts)).toEqual({
      ...{ products: 1, movements: 6, reservations: 6 },
      ...{ orders: 5, orderLines: 5, transitions: 13, events: 13, claims: 6, handledEvents: 2, closedDays: 2 },
    });
  });

  it('finds nothing in orders on their way, and in an attempt that is under way', async () => {
    const items = [{ productId: shop.product, quantity: 1 }];
    await shop.orders.api.place({ userId: newId(), items });
    await shop.catalog.reserve(newId(), items);
    expect(await Array.fromAsync(auditShop({ db: shop.db }, createAuditRun({ secondLookMs: 0 })))).toEqual([]);
  });

  it.each(damages)('finds $what ($found)', async ({ found, by }) => {
    for (const [sql, ...params] of by(shop)) expect(await shop.db.run(sql, params)).toBeGreaterThan(0);
    expect(await kindsFound()).toEqual(found);
  });

  it('finds an event that is leased for ages (I-10)', async () => {
    await shop.db.run(
      "UPDATE orders_outbox SET published_at = NULL, leased_until = '2099-01-01 00:00:00.000' WHERE sequence = 1 AND order_id = ?",
      [shop.sold.order],
    );
    const [finding, ...others] = await findingsOf(shop.db);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ invariant: 'I-10', detail: expect.stringContaining('leased until 2099') });
  });
});

describe('a product with more movements than one statement may read', () => {
  const many = 12_003;
  beforeEach(async () => {
    const rows = Array.from({ length: many }, (_, n) => [newId(), shop.product, 'adjustment', n % 2 === 0 ? 3 : -3, someTime]);
    for (let done = 0; done < many; done += 3000) {
      const some = rows.slice(done, done + 3000);
      await shop.db.run(
        `INSERT INTO catalog_stock_movements (id, product_id, kind, delta, created_at) VALUES ${placeholders(some.length, 5)}`,
        some.flat(),
      );
    }
    await shop.db.run('UPDATE catalog_stock SET on_hand = on_hand + 3 WHERE product_id = ?', [shop.product]);
  });

  it('is added up in parts', async () => {
    const run = auditOfOldRows();
    expect(await Array.fromAsync(auditShop({ db: shop.db }, run))).toEqual([]);
    expect(run.counts.get('movements')).toBe(many + 6);
  });

  it('is still exact to the piece (I-01)', async () => {
    await shop.db.run('UPDATE catalog_stock SET on_hand = on_hand - 1 WHERE product_id = ?', [shop.product]);
    expect(await kindsFound()).toEqual(['I-01 product']);
  });
});

describe('a difference between the modules', () => {
  const staleState = (state: 'held' | 'returned') =>
    async function* () {
      for await (const { reservations: page } of reservationPages(shop.db, async () => {}))
        yield { reservations: page.map((reservation) => ({ ...reservation, state })) };
    };
  const read = (ids: readonly string[]) => readReservations(shop.db, ids);

  it('that is gone on the second look is none', async () => {
    const stale = { pages: staleState('returned'), read };
    expect(await Array.fromAsync(auditReservations(shop.db, stale, auditOfOldRows()))).toEqual([]);
    let reads = 0;
    const late = { pages: staleState('held'), read: async (ids: readonly string[]) => (reads++ === 0 ? [] : read(ids)) };
    expect(await Array.fromAsync(auditOrders(shop.db, late, auditOfOldRows()))).toEqual([]);
    expect(reads).toBe(2);
  });

  it('in rows younger than a minute is none', async () => {
    await shop.db.run('DELETE FROM orders_claims WHERE reservation_id = ?', [shop.voided]);
    const reader = { pages: () => reservationPages(shop.db, async () => {}), read };
    const young = createAuditRun({ secondLookMs: 0 });
    expect(await Array.fromAsync(auditReservations(shop.db, reader, young))).toEqual([]);
    expect(await Array.fromAsync(auditReservations(shop.db, reader, auditOfOldRows()))).toHaveLength(1);
  });
});

describe('beside a running shop', () => {
  it('finds nothing while orders are sold and given back between its pages', async () => {
    const place = async () => {
      const items = [{ productId: shop.product, quantity: 1 }];
      return (await shop.orders.api.place({ userId: newId(), items })).order.id;
    };
    const each = Array.from({ length: 8 }, (_, n) => n);
    const toCancel = await Promise.all(each.map(place));
    await shop.run('orders-relay');
    const toSell = await Promise.all(each.map(place));
    let breaths = 0;
    const onBreath = async () => {
      breaths += 1;
      const [cancelled, sold] = [toCancel.pop(), toSell.pop()];
      if (cancelled === undefined || sold === undefined) return;
      await shop.orders.api.transition({ orderId: cancelled, to: 'cancelled', by: 'customer' });
      const settle = (orderId: string, type: string) => shop.orders.handleMessage(JSON.stringify({ id: newId(), type, orderId }));
      await settle(cancelled, 'order.cancelled');
      await settle(sold, 'order.placed');
    };
    // what was placed before is old, what happens from now on is young
    const run = createAuditRun({ now: Date.now() + 60_000, secondLookMs: 0, onBreath });
    const findings = await Array.fromAsync(auditShop({ db: shop.db }, run));
    expect(findings.filter(({ invariant }) => invariant !== 'I-10')).toEqual([]);
    expect(breaths).toBeGreaterThan(7);
  });

  it('finds nothing when a process with a slow clock adds to the old part of the ledger meanwhile', async () => {
    let late = 0;
    const onBreath = async () => {
      if (late++ > 0) return;
      await shop.db.transaction(async (tx) => {
        await tx.run(
          "INSERT INTO catalog_stock_movements (id, product_id, kind, delta, created_at) VALUES (?, ?, 'adjustment', 1, ?)",
          [newId(), shop.product, someTime],
        );
        await tx.run('UPDATE catalog_stock SET on_hand = on_hand + 1 WHERE product_id = ?', [shop.product]);
      });
    };
    const run = createAuditRun({ secondLookMs: 0, onBreath });
    expect(await Array.fromAsync(auditShop({ db: shop.db }, run))).toEqual([]);
    expect(late).toBeGreaterThan(1);
  });

  it('stops when it is told to, at each place where it waits', async () => {
    const stop = new AbortController();
    const run = createAuditRun({ signal: stop.signal, secondLookMs: 60_000, onBreath: async () => stop.abort() });
    await expect(Array.fromAsync(auditShop({ db: shop.db }, run))).rejects.toThrow('aborted');
    for (const wait of [run.breathe, run.yieldTurn, run.beforeSecondLook]) await expect(wait()).rejects.toThrow('aborted');
  });

  it('rests in proportion to its work', async () => {
    const run = createAuditRun({ share: 0.1 });
    const busyUntil = performance.now() + 20;
    while (performance.now() < busyUntil);
    const restedFrom = performance.now();
    await run.breathe();
    expect(performance.now() - restedFrom).toBeGreaterThan(170);
  });
});

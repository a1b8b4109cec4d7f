import { pino } from 'pino';
import { createCatalog } from '../src/modules/catalog/index.ts';
import { moveReservations } from '../src/modules/catalog/reservation-store.ts';
import { takeFromShelf } from '../src/modules/catalog/reserve-decision.ts';
import { changeStock, StockGuardFailed } from '../src/modules/catalog/stock-changes.ts';
import { CommitInDoubt, type Database } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { catalogFindingsOf } from './harness/audit-findings.ts';
import { addProducts, type CatalogUnderTest, pieces, pounds, startCatalog, stockOf } from './harness/catalog.ts';

/** At the module's own door, as the orders module uses it. */
let catalog: CatalogUnderTest;
beforeEach(async () => {
  catalog = await startCatalog();
});
afterEach(async () => {
  expect(await catalogFindingsOf(catalog.db)).toEqual([]);
  await catalog.close();
});

describe('many at once', () => {
  it('sells exactly what is there: 1,000 buyers for 100 pieces', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const results = await Promise.allSettled(Array.from({ length: 1000 }, () => catalog.api.reserve(newId(), pieces(id))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.every(({ reason }) => reason.code === 'out-of-stock')).toBe(true);
    expect(await stockOf(catalog, id)).toEqual({ onHand: 100, reserved: 100 });
  });

  it('lets 64 at a time want the same products in opposite order', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await catalog.product({ initialStock: 1000 })).id));
    const reservations = Array.from({ length: 192 }, () => newId());
    await Promise.all(
      reservations.map(async (reservationId, n) => {
        const items = (n % 2 === 0 ? ids : ids.toReversed()).flatMap((id) => pieces(id));
        await catalog.api.reserve(reservationId, items);
        await (n % 3 === 0 ? catalog.api.release(reservationId) : catalog.api.commit(reservationId));
      }),
    );
    for (const id of ids) expect(await stockOf(catalog, id)).toEqual({ onHand: 1000 - 128, reserved: 0 });
  });

  it('never lets a bad one fail its neighbours', async () => {
    const good = await catalog.product({ initialStock: 100 });
    const empty = await catalog.product();
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => {
        if (n % 5 === 1) return catalog.api.reserve(newId(), pieces(empty.id));
        if (n % 5 === 2) return catalog.api.reserve(newId(), pieces(newId()));
        if (n % 5 === 3) return catalog.api.reserve(newId(), pieces(good.id), { expectedTotal: pounds(1) });
        return catalog.api.reserve(newId(), pieces(good.id));
      }),
    );
    const outcomes = results.map((result) => (result.status === 'fulfilled' ? result.value.outcome : result.reason.code));
    expect(outcomes).toEqual(
      Array.from({ length: 6 }, () => ['reserved', 'out-of-stock', 'validation', 'total-changed', 'reserved']).flat(),
    );
  });

  it('rolls back and reruns one by one when the store refuses a batch', async () => {
    const sound = await catalog.product({ initialStock: 10 });
    const broken = await catalog.product({ initialStock: 10 });
    const ids = Array.from({ length: 6 }, () => newId());
    await Promise.all(ids.map((id, n) => catalog.api.reserve(id, pieces(n === 3 ? broken.id : sound.id))));
    await catalog.db.run('UPDATE catalog_stock SET reserved = 0 WHERE product_id = ?', [broken.id]);
    // The first call is a batch of its own; the others wait together behind it.
    const results = await Promise.allSettled([newId(), ...ids].map((id) => catalog.api.commit(id)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      ...ids.map((_, n) => (n === 3 ? 'rejected' : 'fulfilled')),
    ]);
    expect(await stockOf(catalog, sound.id)).toEqual({ onHand: 5, reserved: 0 });
    await catalog.db.run('UPDATE catalog_stock SET reserved = 1 WHERE product_id = ?', [broken.id]);
  });

  it('copies of one reserve hold once', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const reservationId = newId();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await catalog.api.reserve(reservationId, pieces(id, n === 7 ? 2 : 1))).outcome),
    );
    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'mismatch')).toHaveLength(1);
    expect(await stockOf(catalog, id)).toEqual({ onHand: 100, reserved: 1 });
  });

  it('is decided against what the earlier ones of a batch have left', () => {
    const shelf = {
      products: new Map([['mug', { sku: 'MUG', name: 'Mug', price: pounds(5) }]]),
      available: new Map([['mug', 3]]),
    };
    expect(takeFromShelf({ items: pieces('mug', 2) }, shelf)).toHaveLength(1);
    expect(() => takeFromShelf({ items: pieces('mug', 2) }, shelf)).toThrow(expect.objectContaining({ code: 'out-of-stock' }));
    expect(takeFromShelf({ items: pieces('mug', 1) }, shelf)).toHaveLength(1);
  });

  it('carries its guard into the statement that writes', async () => {
    const { id } = await catalog.product({ initialStock: 1 });
    for (const change of [
      { onHand: 0, reserved: 2 },
      { onHand: 0, reserved: -1 },
      { onHand: -2, reserved: 0 },
    ]) {
      await expect(catalog.db.transaction((tx) => changeStock(tx, new Map([[id, change]])))).rejects.toThrow(StockGuardFailed);
    }
    const reservationId = newId();
    await catalog.api.reserve(reservationId, pieces(id));
    await catalog.api.commit(reservationId);
    expect(await moveReservations(catalog.db, { ids: [reservationId], from: 'held', to: 'released' })).toBe(0);
  });

  it('stays sound when several processes share the store', async () => {
    const others = [1, 2, 3].map(() => createCatalog({ db: catalog.db, log: pino({ level: 'silent' }), now: Date.now }).api);
    const processes = [catalog.api, ...others];
    const ids = await addProducts(catalog.db, 4, { stock: 60 });
    const same = newId();
    const results = await Promise.allSettled(
      Array.from({ length: 120 }, async (_, n) => {
        const api = processes[n % 4] ?? catalog.api;
        const reservationId = n % 10 === 0 ? same : newId();
        const { outcome } = await api.reserve(
          reservationId,
          (n % 2 === 0 ? ids : ids.toReversed()).flatMap((id) => pieces(id)),
        );
        if (reservationId !== same) await (n % 3 === 0 ? api.release(reservationId) : api.commit(reservationId));
        return outcome;
      }),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.every(({ reason }) => reason.code === 'out-of-stock')).toBe(true);
    expect(
      results.filter((result, n) => n % 10 === 0 && result.status === 'fulfilled' && result.value === 'reserved').length,
    ).toBeLessThanOrEqual(1);
    for (const id of ids) expect((await stockOf(catalog, id)).reserved).toBeLessThanOrEqual(1);
  });

  it('keeps the stock sound when the guard of the code is passed by', async () => {
    const { id } = await catalog.product({ initialStock: 1 });
    await expect(catalog.db.run('UPDATE catalog_stock SET reserved = 2 WHERE product_id = ?', [id])).rejects.toThrow();
    await expect(catalog.db.run('UPDATE catalog_stock SET reserved = -1 WHERE product_id = ?', [id])).rejects.toThrow();
  });

  it('answers `unavailable` to all of a batch whose COMMIT is in doubt, and knows what came of it later', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const inDoubt: Database = {
      ...catalog.db,
      transaction: async (work, options) => {
        await catalog.db.transaction(work, options);
        throw new CommitInDoubt('the connection broke');
      },
    };
    const { api } = createCatalog({ db: inDoubt, log: pino({ level: 'silent' }), now: Date.now });
    const reservations = Array.from({ length: 5 }, () => newId());
    const results = await Promise.allSettled(reservations.map((reservationId) => api.reserve(reservationId, pieces(id))));
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(
      reservations.map(() => 'unavailable'),
    );
    for (const reservationId of reservations) {
      expect((await catalog.api.reserve(reservationId, pieces(id))).outcome).toBe('known');
      await expect(api.commit(reservationId)).rejects.toMatchObject({ code: 'unavailable' });
      expect(await catalog.api.commit(reservationId)).toBe('committed');
    }
    expect(await stockOf(catalog, id)).toEqual({ onHand: 95, reserved: 0 });
  });
});

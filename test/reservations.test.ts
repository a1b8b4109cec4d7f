import fc from 'fast-check';
import { pino } from 'pino';
import { auditCatalog, createCatalog, type ReservationItem, type ReservationState } from '../src/modules/catalog/index.ts';
import { moveReservations } from '../src/modules/catalog/reservation-store.ts';
import { takeFromShelf } from '../src/modules/catalog/reserve-decision.ts';
import { changeStock, StockGuardFailed } from '../src/modules/catalog/stock-changes.ts';
import { newId } from '../src/shared/identifier.ts';
import { addProducts, type CatalogUnderTest, startCatalog } from './harness/catalog.ts';

/** At the module's own door, as the orders module uses it. */
let catalog: CatalogUnderTest;
beforeEach(async () => {
  catalog = await startCatalog();
});
afterEach(async () => {
  expect(await Array.fromAsync(auditCatalog(catalog.db))).toEqual([]);
  await catalog.close();
});

const pounds = (amount: number) => ({ amount, currency: 'GBP' });
const one = (productId: string, quantity = 1): ReservationItem[] => [{ productId, quantity }];
const stockOf = async (id: string) => {
  const { onHand, reserved } = (await catalog.send('get', `/api/products/${id}/stock`)).body;
  return { onHand, reserved };
};
const movementsOf = async (id: string) => {
  const { body } = await catalog.send('get', `/api/products/${id}/stock/movements`);
  return body.data.map(({ kind, delta }: { kind: string; delta: number }) => `${kind} ${delta}`).reverse();
};

describe('reserving', () => {
  it('holds all items and fixes what they cost today', async () => {
    const [mug, pot] = [
      await catalog.product({ initialStock: 5, price: pounds(300) }),
      await catalog.product({ initialStock: 5, price: pounds(7) }),
    ];
    const id = newId();
    const items = [...one(pot.id, 2), ...one(mug.id, 3)];
    const reservation = await catalog.api.reserve(id, items, { expectedTotal: pounds(914) });
    expect(reservation).toEqual({
      outcome: 'reserved',
      lines: [
        { productId: pot.id, sku: pot.sku, name: pot.name, unitPrice: pounds(7), quantity: 2 },
        { productId: mug.id, sku: mug.sku, name: mug.name, unitPrice: pounds(300), quantity: 3 },
      ],
    });
    expect(await stockOf(mug.id)).toEqual({ onHand: 5, reserved: 3 });
    await catalog.send('patch', `/api/products/${mug.id}`, { headers: { 'If-Match': '"1"' }, body: { price: { amount: 999 } } });
    expect(await catalog.api.reserve(id, items)).toEqual({ ...reservation, outcome: 'known' });
    expect(await catalog.api.reserve(id, items.toReversed())).toMatchObject({
      outcome: 'known',
      lines: [{ productId: mug.id }, { productId: pot.id }],
    });
    expect(await stockOf(mug.id)).toEqual({ onHand: 5, reserved: 3 });
  });

  it('charges the price of the moment, whatever an anonymous reader has just seen', async () => {
    const { id } = await catalog.product({ initialStock: 5, price: pounds(300) });
    await catalog.send('get', `/api/products/${id}`, { as: 'nobody' });
    await catalog.db.run('UPDATE catalog_products SET price_amount = 301, version = version + 1 WHERE id = ?', [id]);
    expect((await catalog.api.reserve(newId(), one(id))).lines[0]?.unitPrice).toEqual(pounds(301));
  });

  it('tells other items under the same id apart', async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    const other = await catalog.product({ initialStock: 5 });
    const reservationId = newId();
    await catalog.api.reserve(reservationId, one(id, 2));
    for (const items of [one(id, 1), one(other.id, 2), [...one(id, 2), ...one(other.id)]]) {
      expect(await catalog.api.reserve(reservationId, items)).toEqual({ outcome: 'mismatch', lines: [] });
    }
    expect(await stockOf(id)).toEqual({ onHand: 5, reserved: 2 });
    expect(await stockOf(other.id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('names every short line and holds nothing', async () => {
    const products = [
      await catalog.product({ initialStock: 1 }),
      await catalog.product({ initialStock: 9 }),
      await catalog.product(),
    ];
    const items = products.flatMap(({ id }) => one(id, 2));
    const reservationId = newId();
    await expect(catalog.api.reserve(reservationId, items)).rejects.toMatchObject({
      code: 'out-of-stock',
      members: {
        items: [
          { productId: products[0].id, requested: 2, available: 1 },
          { productId: products[2].id, requested: 2, available: 0 },
        ],
      },
    });
    expect(await stockOf(products[1].id)).toEqual({ onHand: 9, reserved: 0 });
    expect(await catalog.api.reservationStates([reservationId])).toEqual([]);
  });

  it('points at every unknown product', async () => {
    const { id } = await catalog.product({ initialStock: 1 });
    await expect(catalog.api.reserve(newId(), [...one(newId()), ...one(id), ...one(newId())])).rejects.toMatchObject({
      code: 'validation',
      members: { errors: [{ pointer: '/items/0/productId' }, { pointer: '/items/2/productId' }] },
    });
  });

  it('refuses two currencies, another total than expected and a total beyond 2^53 − 1', async () => {
    const mug = await catalog.product({ initialStock: 5, price: pounds(100) });
    const euro = await catalog.product({ initialStock: 5, price: { amount: 100, currency: 'EUR' } });
    const gold = await catalog.product({ initialStock: 1_000_000, price: pounds(1_000_000_000_000) });
    const refused = (items: ReservationItem[], expectedTotal?: { amount: number; currency: string }) =>
      expect(catalog.api.reserve(newId(), items, expectedTotal && { expectedTotal })).rejects;
    await refused([...one(mug.id), ...one(euro.id)]).toMatchObject({ code: 'mixed-currencies' });
    await refused(one(mug.id, 2), pounds(199)).toMatchObject({ code: 'total-changed', members: { total: pounds(200) } });
    await refused(one(mug.id, 2), { amount: 200, currency: 'EUR' }).toMatchObject({
      code: 'total-changed',
      members: { total: pounds(200) },
    });
    await refused(one(gold.id, 9008)).toMatchObject({ code: 'validation' });
    expect((await catalog.api.reserve(newId(), one(gold.id, 9007))).outcome).toBe('reserved');
    expect(await stockOf(mug.id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('refuses what no caller may send', async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    for (const items of [one(id, -1), one(id, 0), one(id, 1.5), [...one(id), ...one(id)]]) {
      await expect(catalog.api.reserve(newId(), items)).rejects.toThrow(RangeError);
    }
    await expect(catalog.api.reserve(newId(), [])).rejects.toMatchObject({ code: 'validation' });
  });

  it('takes 2,000 lines at once', async () => {
    const products = await addProducts(catalog.db, 2000, { stock: 3 });
    const id = newId();
    const reservation = await catalog.api.reserve(
      id,
      products.flatMap((productId) => one(productId, 3)),
    );
    expect(reservation.lines.map(({ productId }) => productId)).toEqual(products);
    expect(await catalog.api.commit(id)).toBe('committed');
    expect(await catalog.api.release(id)).toBe('returned');
  }, 60_000);
});

describe('the states of a reservation', () => {
  const held = async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    const reservationId = newId();
    await catalog.api.reserve(reservationId, one(id, 2));
    return { id, reservationId };
  };
  const stateOf = async (id: string) => (await catalog.api.reservationStates([id]))[0]?.state;

  it('held → committed: the pieces are sold, once', async () => {
    const { id, reservationId } = await held();
    for (let n = 0; n < 3; n += 1) expect(await catalog.api.commit(reservationId)).toBe('committed');
    expect(await stockOf(id)).toEqual({ onHand: 3, reserved: 0 });
    expect(await movementsOf(id)).toEqual(['initial 5', 'sale -2']);
  });

  it('held → released: the pieces are free again, once', async () => {
    const { id, reservationId } = await held();
    for (let n = 0; n < 3; n += 1) expect(await catalog.api.release(reservationId)).toBe('released');
    expect(await stockOf(id)).toEqual({ onHand: 5, reserved: 0 });
    expect(await movementsOf(id)).toEqual(['initial 5']);
  });

  it('committed → returned: the pieces come back, once', async () => {
    const { id, reservationId } = await held();
    await catalog.api.commit(reservationId);
    for (let n = 0; n < 3; n += 1) expect(await catalog.api.release(reservationId)).toBe('returned');
    expect(await stockOf(id)).toEqual({ onHand: 5, reserved: 0 });
    expect(await movementsOf(id)).toEqual(['initial 5', 'sale -2', 'return 2']);
  });

  it('a released or returned reservation is never sold', async () => {
    const { id, reservationId } = await held();
    await catalog.api.release(reservationId);
    expect(await catalog.api.commit(reservationId)).toBe('released');
    const second = await held();
    await catalog.api.commit(second.reservationId);
    await catalog.api.release(second.reservationId);
    expect(await catalog.api.commit(second.reservationId)).toBe('returned');
    expect(await stockOf(id)).toEqual({ onHand: 5, reserved: 0 });
    expect(await stockOf(second.id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('a commit of an unknown one changes nothing, not even that it is unknown', async () => {
    const reservationId = newId();
    expect(await catalog.api.commit(reservationId)).toBe('unknown');
    expect(await stateOf(reservationId)).toBeUndefined();
  });

  it('a release of an unknown one is remembered: a late reserve holds nothing', async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    const reservationId = newId();
    expect(await catalog.api.release(reservationId)).toBe('released');
    expect(await catalog.api.reserve(reservationId, one(id))).toEqual({ outcome: 'known', lines: [] });
    expect(await catalog.api.commit(reservationId)).toBe('released');
    expect(await stockOf(id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('a reserve after the release answers as it was and holds nothing again', async () => {
    const { id, reservationId } = await held();
    await catalog.api.release(reservationId);
    expect(await catalog.api.reserve(reservationId, one(id, 2))).toMatchObject({
      outcome: 'known',
      lines: [{ productId: id, quantity: 2 }],
    });
    expect(await stateOf(reservationId)).toBe('released');
    expect(await stockOf(id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('reserve racing release ends the same way for both', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const ids = Array.from({ length: 50 }, () => newId());
    await Promise.all(
      ids.flatMap((reservationId) => [catalog.api.reserve(reservationId, one(id)), catalog.api.release(reservationId)]),
    );
    expect((await catalog.api.reservationStates(ids)).map(({ state }) => state)).toEqual(ids.map(() => 'released'));
    expect(await stockOf(id)).toEqual({ onHand: 100, reserved: 0 });
  });

  it('commit racing release of one reservation moves its pieces out and back at most once', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const ids = Array.from({ length: 30 }, () => newId());
    await Promise.all(ids.map((reservationId) => catalog.api.reserve(reservationId, one(id))));
    await Promise.all(
      ids.flatMap((reservationId) => [
        catalog.api.commit(reservationId),
        catalog.api.release(reservationId),
        catalog.api.commit(reservationId),
      ]),
    );
    const states = (await catalog.api.reservationStates(ids)).map(({ state }) => state);
    expect(states.every((state) => state === 'released' || state === 'returned')).toBe(true);
    expect(await stockOf(id)).toEqual({ onHand: 100, reserved: 0 });
  });

  it('lists what has been held for long, oldest first', async () => {
    const [first, second] = [await held(), await held()];
    await catalog.db.run("UPDATE catalog_reservations SET created_at = '2020-01-01 00:00:00.000' WHERE id = ?", [
      second.reservationId,
    ]);
    await catalog.db.run("UPDATE catalog_reservations SET created_at = '2020-01-02 00:00:00.000' WHERE id = ?", [
      first.reservationId,
    ]);
    const old = await catalog.api.heldReservations({ olderThanMs: 60_000, limit: 10 });
    expect(old).toEqual([
      { reservationId: second.reservationId, heldSince: '2020-01-01T00:00:00.000Z' },
      { reservationId: first.reservationId, heldSince: '2020-01-02T00:00:00.000Z' },
    ]);
    expect(await catalog.api.heldReservations({ olderThanMs: 60_000, limit: 1 })).toHaveLength(1);
    await catalog.api.commit(second.reservationId);
    await catalog.api.release(first.reservationId);
    expect(await catalog.api.heldReservations({ olderThanMs: 60_000, limit: 10 })).toEqual([]);
  });

  it('forgets released ones only', async () => {
    const [one1, two, three] = [await held(), await held(), await held()];
    await catalog.api.release(one1.reservationId);
    await catalog.api.commit(two.reservationId);
    const ids = [one1, two, three].map(({ reservationId }) => reservationId);
    await catalog.api.forget([...ids, newId()]);
    await catalog.api.forget(ids);
    expect(await catalog.api.reservationStates(ids)).toHaveLength(2);
    expect(await stateOf(one1.reservationId)).toBeUndefined();
    await catalog.api.forget([]);
    await catalog.api.release(three.reservationId);
  });
});

describe('many at once', () => {
  it('sells exactly what is there: 1,000 buyers for 100 pieces', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const results = await Promise.allSettled(Array.from({ length: 1000 }, () => catalog.api.reserve(newId(), one(id))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.every(({ reason }) => reason.code === 'out-of-stock')).toBe(true);
    expect(await stockOf(id)).toEqual({ onHand: 100, reserved: 100 });
  });

  it('lets 64 at a time want the same products in opposite order', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await catalog.product({ initialStock: 1000 })).id));
    const reservations = Array.from({ length: 192 }, () => newId());
    await Promise.all(
      reservations.map(async (reservationId, n) => {
        const items = (n % 2 === 0 ? ids : ids.toReversed()).flatMap((id) => one(id));
        await catalog.api.reserve(reservationId, items);
        await (n % 3 === 0 ? catalog.api.release(reservationId) : catalog.api.commit(reservationId));
      }),
    );
    for (const id of ids) expect(await stockOf(id)).toEqual({ onHand: 1000 - 128, reserved: 0 });
  });

  it('never lets a bad one fail its neighbours', async () => {
    const good = await catalog.product({ initialStock: 100 });
    const empty = await catalog.product();
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => {
        if (n % 5 === 1) return catalog.api.reserve(newId(), one(empty.id));
        if (n % 5 === 2) return catalog.api.reserve(newId(), one(newId()));
        if (n % 5 === 3) return catalog.api.reserve(newId(), one(good.id), { expectedTotal: pounds(1) });
        return catalog.api.reserve(newId(), one(good.id));
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
    await Promise.all(ids.map((id, n) => catalog.api.reserve(id, one(n === 3 ? broken.id : sound.id))));
    await catalog.db.run('UPDATE catalog_stock SET reserved = 0 WHERE product_id = ?', [broken.id]);
    // The first call is a batch of its own; the others wait together behind it.
    const results = await Promise.allSettled([newId(), ...ids].map((id) => catalog.api.commit(id)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      ...ids.map((_, n) => (n === 3 ? 'rejected' : 'fulfilled')),
    ]);
    expect(await stockOf(sound.id)).toEqual({ onHand: 5, reserved: 0 });
    await catalog.db.run('UPDATE catalog_stock SET reserved = 1 WHERE product_id = ?', [broken.id]);
  });

  it('copies of one reserve hold once', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const reservationId = newId();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await catalog.api.reserve(reservationId, one(id, n === 7 ? 2 : 1))).outcome),
    );
    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'mismatch')).toHaveLength(1);
    expect(await stockOf(id)).toEqual({ onHand: 100, reserved: 1 });
  });

  it('is decided against what the earlier ones of a batch have left', () => {
    const shelf = {
      products: new Map([['mug', { sku: 'MUG', name: 'Mug', price: pounds(5) }]]),
      available: new Map([['mug', 3]]),
    };
    expect(takeFromShelf({ items: one('mug', 2) }, shelf)).toHaveLength(1);
    expect(() => takeFromShelf({ items: one('mug', 2) }, shelf)).toThrow(expect.objectContaining({ code: 'out-of-stock' }));
    expect(takeFromShelf({ items: one('mug', 1) }, shelf)).toHaveLength(1);
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
    await catalog.api.reserve(reservationId, one(id));
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
          (n % 2 === 0 ? ids : ids.toReversed()).flatMap((id) => one(id)),
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
    for (const id of ids) expect((await stockOf(id)).reserved).toBeLessThanOrEqual(1);
  });

  it('keeps the stock sound when the guard of the code is passed by', async () => {
    const { id } = await catalog.product({ initialStock: 1 });
    await expect(catalog.db.run('UPDATE catalog_stock SET reserved = 2 WHERE product_id = ?', [id])).rejects.toThrow();
    await expect(catalog.db.run('UPDATE catalog_stock SET reserved = -1 WHERE product_id = ?', [id])).rejects.toThrow();
  });
});

describe('any sequence of calls', () => {
  type Step = {
    readonly call: 'reserve' | 'commit' | 'release' | 'adjust';
    readonly reservation: number;
    readonly product: number;
    readonly quantity: number;
  };
  const step: fc.Arbitrary<Step> = fc.record({
    call: fc.constantFrom('reserve', 'reserve', 'commit', 'release', 'adjust'),
    reservation: fc.nat(5),
    product: fc.nat(2),
    quantity: fc.integer({ min: 1, max: 4 }),
  });
  const legal: Readonly<Record<ReservationState | 'unknown', readonly (ReservationState | 'unknown')[]>> = {
    unknown: ['unknown', 'held', 'committed', 'released', 'returned'],
    held: ['held', 'committed', 'released', 'returned'],
    committed: ['committed', 'returned'],
    released: ['released'],
    returned: ['returned'],
  };

  it('conserves the stock and moves reservations forward only', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 }),
        async (rounds) => {
          const products = (await Promise.all([2, 5, 9].map((stock) => addProducts(catalog.db, 1, { stock })))).flat();
          const ids = Array.from({ length: 6 }, () => newId());
          const before = new Map(ids.map((id): [string, ReservationState | 'unknown'] => [id, 'unknown']));
          for (const round of rounds) {
            await Promise.allSettled(
              round.map(({ call, reservation, product, quantity }) => {
                const id = ids[reservation] ?? '';
                if (call === 'reserve')
                  return catalog.api.reserve(
                    id,
                    products.slice(0, product + 1).map((productId) => ({ productId, quantity })),
                  );
                if (call === 'commit') return catalog.api.commit(id);
                if (call === 'release') return catalog.api.release(id);
                return catalog.send('post', `/api/products/${products[product]}/stock/adjustments`, {
                  body: { delta: -quantity, reason: 'x' },
                });
              }),
            );
            expect(await Array.fromAsync(auditCatalog(catalog.db))).toEqual([]);
            const states = new Map(
              (await catalog.api.reservationStates(ids)).map(({ reservationId, state }) => [reservationId, state]),
            );
            for (const id of ids) {
              const state = states.get(id) ?? 'unknown';
              expect(legal[before.get(id) ?? 'unknown']).toContain(state);
              before.set(id, state);
            }
          }
          await Promise.all(ids.map((id) => catalog.api.release(id)));
          await catalog.api.forget(ids);
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});

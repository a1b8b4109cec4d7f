import type { ReservationItem } from '../src/modules/catalog/index.ts';
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

describe('reserving', () => {
  it('holds all items and fixes what they cost today', async () => {
    const [mug, pot] = [
      await catalog.product({ initialStock: 5, price: pounds(300) }),
      await catalog.product({ initialStock: 5, price: pounds(7) }),
    ];
    const id = newId();
    const items = [...pieces(pot.id, 2), ...pieces(mug.id, 3)];
    const reservation = await catalog.api.reserve(id, items, { expectedTotal: pounds(914) });
    expect(reservation).toEqual({
      outcome: 'reserved',
      lines: [
        { productId: pot.id, sku: pot.sku, name: pot.name, unitPrice: pounds(7), quantity: 2 },
        { productId: mug.id, sku: mug.sku, name: mug.name, unitPrice: pounds(300), quantity: 3 },
      ],
    });
    expect(await stockOf(catalog, mug.id)).toEqual({ onHand: 5, reserved: 3 });
    await catalog.send('patch', `/api/products/${mug.id}`, { headers: { 'If-Match': '"1"' }, body: { price: { amount: 999 } } });
    const sameTotal = { expectedTotal: pounds(914) };
    expect(await catalog.api.reserve(id, items, sameTotal)).toEqual({ ...reservation, outcome: 'known' });
    expect(await catalog.api.reserve(id, items, { expectedTotal: pounds(915) })).toEqual({ outcome: 'mismatch', lines: [] });
    expect(await catalog.api.reserve(id, items)).toEqual({ outcome: 'mismatch', lines: [] });
    expect(await catalog.api.reserve(id, items.toReversed(), sameTotal)).toMatchObject({
      outcome: 'known',
      lines: [{ productId: mug.id }, { productId: pot.id }],
    });
    expect(await stockOf(catalog, mug.id)).toEqual({ onHand: 5, reserved: 3 });
  });

  it('charges the price of the moment, whatever an anonymous reader has just seen', async () => {
    const { id } = await catalog.product({ initialStock: 5, price: pounds(300) });
    await catalog.send('get', `/api/products/${id}`, { as: 'nobody' });
    await catalog.db.run('UPDATE catalog_products SET price_amount = 301, version = version + 1 WHERE id = ?', [id]);
    expect((await catalog.api.reserve(newId(), pieces(id))).lines[0]?.unitPrice).toEqual(pounds(301));
  });

  it('tells other items under the same id apart', async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    const other = await catalog.product({ initialStock: 5 });
    const reservationId = newId();
    await catalog.api.reserve(reservationId, pieces(id, 2));
    for (const items of [pieces(id, 1), pieces(other.id, 2), [...pieces(id, 2), ...pieces(other.id)]]) {
      expect(await catalog.api.reserve(reservationId, items)).toEqual({ outcome: 'mismatch', lines: [] });
    }
    expect(await stockOf(catalog, id)).toEqual({ onHand: 5, reserved: 2 });
    expect(await stockOf(catalog, other.id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('names every short line and holds nothing', async () => {
    const products = [
      await catalog.product({ initialStock: 1 }),
      await catalog.product({ initialStock: 9 }),
      await catalog.product(),
    ];
    const items = products.flatMap(({ id }) => pieces(id, 2));
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
    expect(await stockOf(catalog, products[1].id)).toEqual({ onHand: 9, reserved: 0 });
    expect(await catalog.api.reservationStates([reservationId])).toEqual([]);
  });

  it('points at every unknown product', async () => {
    const { id } = await catalog.product({ initialStock: 1 });
    await expect(catalog.api.reserve(newId(), [...pieces(newId()), ...pieces(id), ...pieces(newId())])).rejects.toMatchObject({
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
    await refused([...pieces(mug.id), ...pieces(euro.id)]).toMatchObject({ code: 'mixed-currencies' });
    await refused(pieces(mug.id, 2), pounds(199)).toMatchObject({ code: 'total-changed', members: { total: pounds(200) } });
    await refused(pieces(mug.id, 2), { amount: 200, currency: 'EUR' }).toMatchObject({
      code: 'total-changed',
      members: { total: pounds(200) },
    });
    await refused(pieces(gold.id, 9008)).toMatchObject({ code: 'validation' });
    expect((await catalog.api.reserve(newId(), pieces(gold.id, 9007))).outcome).toBe('reserved');
    expect(await stockOf(catalog, mug.id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('refuses what no caller may send', async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    for (const items of [pieces(id, -1), pieces(id, 0), pieces(id, 1.5), [...pieces(id), ...pieces(id)]]) {
      await expect(catalog.api.reserve(newId(), items)).rejects.toThrow(RangeError);
    }
    await expect(catalog.api.reserve(newId(), [])).rejects.toMatchObject({ code: 'validation' });
  });

  it('takes 2,000 lines at once', async () => {
    const products = await addProducts(catalog.db, 2000, { stock: 3 });
    const id = newId();
    const reservation = await catalog.api.reserve(
      id,
      products.flatMap((productId) => pieces(productId, 3)),
    );
    expect(reservation.lines.map(({ productId }) => productId)).toEqual(products);
    expect(await catalog.api.commit(id)).toBe('committed');
    expect(await catalog.api.release(id)).toBe('returned');
  }, 60_000);
});

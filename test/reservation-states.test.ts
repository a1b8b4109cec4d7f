import { newId } from '../src/shared/identifier.ts';
import { catalogFindingsOf } from './harness/audit-findings.ts';
import { type CatalogUnderTest, pieces, startCatalog, stockOf } from './harness/catalog.ts';

/** At the module's own door, as the orders module uses it. */
let catalog: CatalogUnderTest;
beforeEach(async () => {
  catalog = await startCatalog();
});
afterEach(async () => {
  expect(await catalogFindingsOf(catalog.db)).toEqual([]);
  await catalog.close();
});

const movementsOf = async (id: string) => {
  const { body } = await catalog.send('get', `/api/products/${id}/stock/movements`);
  return body.data.map(({ kind, delta }: { kind: string; delta: number }) => `${kind} ${delta}`).reverse();
};

describe('the states of a reservation', () => {
  const held = async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    const reservationId = newId();
    await catalog.api.reserve(reservationId, pieces(id, 2));
    return { id, reservationId };
  };
  const stateOf = async (id: string) => (await catalog.api.reservationStates([id]))[0]?.state;

  it('held → committed: the pieces are sold, once', async () => {
    const { id, reservationId } = await held();
    for (let n = 0; n < 3; n += 1) expect(await catalog.api.commit(reservationId)).toBe('committed');
    expect(await stockOf(catalog, id)).toEqual({ onHand: 3, reserved: 0 });
    expect(await movementsOf(id)).toEqual(['initial 5', 'sale -2']);
  });

  it('held → released: the pieces are free again, once', async () => {
    const { id, reservationId } = await held();
    for (let n = 0; n < 3; n += 1) expect(await catalog.api.release(reservationId)).toBe('released');
    expect(await stockOf(catalog, id)).toEqual({ onHand: 5, reserved: 0 });
    expect(await movementsOf(id)).toEqual(['initial 5']);
  });

  it('committed → returned: the pieces come back, once', async () => {
    const { id, reservationId } = await held();
    await catalog.api.commit(reservationId);
    for (let n = 0; n < 3; n += 1) expect(await catalog.api.release(reservationId)).toBe('returned');
    expect(await stockOf(catalog, id)).toEqual({ onHand: 5, reserved: 0 });
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
    expect(await stockOf(catalog, id)).toEqual({ onHand: 5, reserved: 0 });
    expect(await stockOf(catalog, second.id)).toEqual({ onHand: 5, reserved: 0 });
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
    expect(await catalog.api.reserve(reservationId, pieces(id))).toEqual({ outcome: 'known', lines: [] });
    expect(await catalog.api.commit(reservationId)).toBe('released');
    expect(await stockOf(catalog, id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('a reserve after the release answers as it was and holds nothing again', async () => {
    const { id, reservationId } = await held();
    await catalog.api.release(reservationId);
    expect(await catalog.api.reserve(reservationId, pieces(id, 2))).toMatchObject({
      outcome: 'known',
      lines: [{ productId: id, quantity: 2 }],
    });
    expect(await stateOf(reservationId)).toBe('released');
    expect(await stockOf(catalog, id)).toEqual({ onHand: 5, reserved: 0 });
  });

  it('reserve racing release ends the same way for both', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const ids = Array.from({ length: 50 }, () => newId());
    await Promise.all(
      ids.flatMap((reservationId) => [catalog.api.reserve(reservationId, pieces(id)), catalog.api.release(reservationId)]),
    );
    expect((await catalog.api.reservationStates(ids)).map(({ state }) => state)).toEqual(ids.map(() => 'released'));
    expect(await stockOf(catalog, id)).toEqual({ onHand: 100, reserved: 0 });
  });

  it('commit racing release of one reservation moves its pieces out and back at most once', async () => {
    const { id } = await catalog.product({ initialStock: 100 });
    const ids = Array.from({ length: 30 }, () => newId());
    await Promise.all(ids.map((reservationId) => catalog.api.reserve(reservationId, pieces(id))));
    await Promise.all(
      ids.flatMap((reservationId) => [
        catalog.api.commit(reservationId),
        catalog.api.release(reservationId),
        catalog.api.commit(reservationId),
      ]),
    );
    const states = (await catalog.api.reservationStates(ids)).map(({ state }) => state);
    expect(states.every((state) => state === 'released' || state === 'returned')).toBe(true);
    expect(await stockOf(catalog, id)).toEqual({ onHand: 100, reserved: 0 });
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

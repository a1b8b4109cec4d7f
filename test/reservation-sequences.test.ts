import fc from 'fast-check';
import type { ReservationState } from '../src/modules/catalog/index.ts';
import { newId } from '../src/shared/identifier.ts';
import { catalogFindingsOf } from './harness/audit-findings.ts';
import { addProducts, type CatalogUnderTest, startCatalog } from './harness/catalog.ts';

/** At the module's own door, as the orders module uses it. */
let catalog: CatalogUnderTest;
beforeEach(async () => {
  catalog = await startCatalog();
});
afterEach(async () => {
  expect(await catalogFindingsOf(catalog.db)).toEqual([]);
  await catalog.close();
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
            expect(await catalogFindingsOf(catalog.db)).toEqual([]);
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

import { type Catalog, createCatalog } from '../src/modules/catalog/index.ts';
import { insertVoidClaim } from '../src/modules/orders/claim-store.ts';
import { createOrders, type OrdersModule } from '../src/modules/orders/index.ts';
import { CommitInDoubt, type Database } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { eventually } from './harness/eventually.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';

/**
 * An order's transaction is still open while somebody gives its attempt up: the void claim has to wait for it, because a read
 * would find nothing. The embedded store has one writer at a time, so only a server can show this.
 */

let db: Database;
let closeStore: () => Promise<void>;
let catalog: Catalog;

beforeAll(async () => {
  ({ db, close: closeStore } = await openShopStore());
  catalog = createCatalog({ db, log, now: Date.now }).api;
});

afterAll(async () => {
  await run(ordersOn(db), 'orders-relay');
  expect(await findingsOf(db)).toEqual([]);
  await closeStore();
});

const ordersOn = (store: Database) =>
  createOrders({ db: store, catalog, auth: nobody, log, now: Date.now, onAppended: () => {}, intervals: { heldFor: -1000 } });

async function run({ tasks }: OrdersModule, name: string): Promise<void> {
  const task = tasks.find((candidate) => candidate.name === name);
  for (let round = 0; round < 2; round++) while (await task?.run(new AbortController().signal));
}

type Ending = 'commit' | 'rollback';

/**
 * The same store, whose first order transaction stays open with all its rows written until `end` says how it ends. `lost`:
 * its client hears at once that the COMMIT is in doubt.
 */
function holdingTheOrder({ lost }: { lost: boolean }) {
  const written = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<Ending>();
  let outcome: Promise<unknown> = Promise.resolve();
  let held = false;
  const store: Database = {
    ...db,
    transaction: async (work, options = {}) => {
      if (held || options.fresh === true || options.readOnly === true) return db.transaction(work, options);
      held = true;
      const transaction = db.transaction(async (tx) => {
        const result = await work(tx);
        written.resolve();
        if ((await ending.promise) === 'rollback') throw new Error('rolled back');
        return result;
      });
      outcome = transaction.catch(() => {});
      if (!lost) return transaction;
      await written.promise;
      throw new CommitInDoubt('the connection broke');
    },
  };
  return {
    store,
    written: written.promise,
    end: async (how: Ending) => {
      ending.resolve(how);
      await outcome;
    },
  };
}

/** Resolves when a void claim is under way, which can't end before the order's transaction does. */
const aVoidClaimWaits = () =>
  eventually(async () => {
    const waiting = await db.rows(
      `SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'INSERT INTO orders_claims%''void''%'`,
    );
    expect(waiting).not.toEqual([]);
  });

async function stockOf(productId: string) {
  const [row] = await db.rows('SELECT on_hand, reserved FROM catalog_stock WHERE product_id = ?', [productId]);
  return row;
}

async function request() {
  const productId = await addProduct(db, { stock: 1 });
  return { productId, order: { userId: newId(), items: [{ productId, quantity: 1 }], idempotencyKey: newId() } };
}

describe('a sweep over an order that is still being written', () => {
  it('waits, and sells the pieces when the order is there', async () => {
    const { productId, order } = await request();
    const slow = holdingTheOrder({ lost: false });
    const placing = ordersOn(slow.store).api.place(order);
    await slow.written;
    const sweep = run(ordersOn(db), 'orders-sweep');
    await aVoidClaimWaits();
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    await slow.end('commit');
    const placed = await placing;
    await sweep;
    expect(await stockOf(productId)).toEqual({ on_hand: 0, reserved: 0 });
    expect(await ordersOn(db).api.place(order)).toMatchObject({ order: { id: placed.order.id } });
  });

  it('waits, and gives the pieces back when there is none', async () => {
    const { productId, order } = await request();
    const slow = holdingTheOrder({ lost: false });
    const placing = ordersOn(slow.store).api.place(order);
    const refused = expect(placing).rejects.toMatchObject({ code: 'unavailable' });
    await slow.written;
    const sweep = run(ordersOn(db), 'orders-sweep');
    await aVoidClaimWaits();
    await slow.end('rollback');
    await Promise.all([refused, sweep]);
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
    expect(await ordersOn(db).api.place(order)).toMatchObject({ order: { status: 'placed' } });
  });
});

describe('a COMMIT in doubt whose transaction is still open', () => {
  it('is the order when it is committed after all', async () => {
    const { productId, order } = await request();
    const slow = holdingTheOrder({ lost: true });
    const placing = ordersOn(slow.store).api.place(order);
    await slow.written;
    await aVoidClaimWaits();
    await slow.end('commit');
    expect(await placing).toMatchObject({ order: { status: 'placed' } });
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
  });

  it('is refused and leaves nothing when it is not', async () => {
    const { productId, order } = await request();
    const slow = holdingTheOrder({ lost: true });
    const placing = ordersOn(slow.store).api.place(order);
    const refused = expect(placing).rejects.toMatchObject({ code: 'unavailable' });
    await slow.written;
    await aVoidClaimWaits();
    await slow.end('rollback');
    await refused;
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
  });

  it('keeps the pieces while nobody can tell, and is settled by the sweep later', async () => {
    const { productId, order } = await request();
    const slow = holdingTheOrder({ lost: true });
    await expect(ordersOn(slow.store).api.place(order)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    await slow.end('commit');
    await run(ordersOn(db), 'orders-sweep');
    expect(await stockOf(productId)).toEqual({ on_hand: 0, reserved: 0 });
  });
});

describe('a void claim', () => {
  it('does not wait for a connection of the pool: those may all be waiting for it', async () => {
    const ending = Promise.withResolvers<void>();
    const everyConnection = 10;
    const begun = Array.from({ length: everyConnection }, () => Promise.withResolvers<void>());
    const holders = begun.map(({ resolve }) =>
      db.transaction(async (tx) => {
        await tx.rows('SELECT 1');
        resolve();
        await ending.promise;
      }),
    );
    await Promise.all(begun.map(({ promise }) => promise));
    const reservationId = newId();
    await insertVoidClaim(db, reservationId, new Date()).finally(ending.resolve);
    await Promise.all(holders);
    expect(await db.rows('SELECT kind FROM orders_claims WHERE reservation_id = ?', [reservationId])).toEqual([{ kind: 'void' }]);
    // so that the audit at the end finds its reservation
    await catalog.release(reservationId);
  });
});

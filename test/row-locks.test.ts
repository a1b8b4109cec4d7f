import { createCatalog } from '../src/modules/catalog/index.ts';
import { changeStock } from '../src/modules/catalog/stock-changes.ts';
import { createOrders } from '../src/modules/orders/index.ts';
import type { Database } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { eventually } from './harness/eventually.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';

/** Which rows a transaction holds, and when. The embedded store has one writer at a time, so only a server can show this. */

let db: Database;
let closeStore: () => Promise<void>;
beforeAll(async () => {
  ({ db, close: closeStore } = await openShopStore());
});
afterAll(() => closeStore());

const products = async () =>
  (await Promise.all(Array.from({ length: 2 }, () => addProduct(db, { stock: 10 })))).toSorted() as [string, string];
const lockStock = 'SELECT product_id FROM catalog_stock WHERE product_id = ? FOR UPDATE';

/** Another transaction that keeps what it has locked until it is let go. */
async function holding(sql: string, params: readonly string[]) {
  const [locked, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ended = db.transaction(async (tx) => {
    if (sql.startsWith('SELECT')) await tx.rows(sql, params);
    else await tx.run(sql, params);
    locked.resolve();
    await ending.promise;
  });
  await locked.promise;
  return {
    letGo: async () => {
      ending.resolve();
      await ended;
    },
  };
}

/** Resolves when a statement that begins like this waits. */
const waitsFor = (beginning: string) =>
  eventually(async () => {
    const found = await db.rows(
      `SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND TRIM(info) LIKE CONCAT(?, '%')`,
      [beginning],
    );
    expect(found).toHaveLength(1);
  }, 2000);

const isFree = (productId: string) =>
  db.transaction(async (tx) => (await tx.rows(`${lockStock} NOWAIT`, [productId])).length === 1).catch(() => false);

describe('the stock of several products', () => {
  it('is changed in the order of their ids, whatever order they came in', async () => {
    const [low, high] = await products();
    const holder = await holding(lockStock, [low]);
    const change = { onHand: 0, reserved: 1 };
    const changing = db.transaction((tx) =>
      changeStock(
        tx,
        new Map([
          [high, change],
          [low, change],
        ]),
      ),
    );
    await waitsFor('UPDATE JSON_TABLE');
    expect(await isFree(high)).toBe(true);
    await holder.letGo();
    await changing;
  });

  it('is changed without a look at any other product, however few there are', async () => {
    const [low, high] = await products();
    const holder = await holding(lockStock, [low]);
    const changed = db.transaction((tx) => changeStock(tx, new Map([[high, { onHand: 0, reserved: 1 }]])));
    await expect(changed.finally(holder.letGo)).resolves.toBeUndefined();
  });

  it('is locked for a reservation in the same order', async () => {
    const [low, high] = await products();
    const { api } = createCatalog({ db, log, now: Date.now });
    const holder = await holding(lockStock, [low]);
    const reserving = api.reserve(newId(), [
      { productId: high, quantity: 1 },
      { productId: low, quantity: 1 },
    ]);
    await waitsFor('SELECT product_id, on_hand');
    expect(await isFree(high)).toBe(true);
    await holder.letGo();
    expect(await reserving).toMatchObject({ outcome: 'reserved' });
  });
});

describe('a settlement', () => {
  it('waits for another one of the same reservation, and then decides on what became of it', async () => {
    const [productId] = await products();
    const [here, there] = [createCatalog({ db, log, now: Date.now }).api, createCatalog({ db, log, now: Date.now }).api];
    const reservationId = newId();
    await here.reserve(reservationId, [{ productId, quantity: 1 }]);
    const holder = await holding('SELECT id FROM catalog_reservations WHERE id = ? FOR UPDATE', [reservationId]);
    const ended = Promise.all([here.commit(reservationId), there.release(reservationId)]);
    await eventually(async () =>
      expect(
        await db.rows(
          "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT id, state, digest%'",
        ),
      ).toHaveLength(2),
    );
    await holder.letGo();
    // who comes first is left to the server
    expect(['committed returned', 'released released']).toContain((await ended).join(' '));
    expect(await db.rows('SELECT on_hand, reserved FROM catalog_stock WHERE product_id = ?', [productId])).toEqual([
      { on_hand: 10, reserved: 0 },
    ]);
  });
});

describe('a transition', () => {
  it('waits for another one of the same order, and is then told in which state that left it', async () => {
    const [productId] = await products();
    const { api: catalog } = createCatalog({ db, log, now: Date.now });
    const orders = createOrders({ db, catalog, auth: nobody, log, now: Date.now, onAppended: () => {} });
    const { order } = await orders.api.place({ userId: newId(), items: [{ productId, quantity: 1 }] });
    const orderId = order.id;
    const holder = await holding("UPDATE orders_orders SET status = 'cancelled', version = version + 1 WHERE id = ?", [orderId]);
    const confirming = orders.api.transition({ orderId, to: 'confirmed', by: 'system' });
    const refused = expect(confirming).rejects.toMatchObject({ code: 'illegal-transition', members: { from: 'cancelled' } });
    await waitsFor('SELECT id, user_id');
    await holder.letGo();
    await refused;
  });
});

describe('two transactions that want what the other one holds', () => {
  it('both come to their end, because the one that was undone begins anew', async () => {
    const [low, high] = await products();
    let holders = 0;
    const bothHold = Promise.withResolvers<void>();
    let runs = 0;
    const takeBoth = (first: string, second: string) =>
      db.transaction(async (tx) => {
        runs += 1;
        const one = 'UPDATE catalog_stock SET reserved = reserved + 1 WHERE product_id = ?';
        await tx.run(one, [first]);
        holders += 1;
        if (holders === 2) bothHold.resolve();
        await bothHold.promise;
        await tx.run(one, [second]);
      });
    await Promise.all([takeBoth(low, high), takeBoth(high, low)]);
    expect(runs).toBe(3);
    expect(await db.rows('SELECT reserved FROM catalog_stock WHERE product_id IN (?, ?)', [low, high])).toEqual([
      { reserved: 2 },
      { reserved: 2 },
    ]);
  });
});

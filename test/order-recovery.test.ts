import { type Catalog, createCatalog } from '../src/modules/catalog/index.ts';
import { createOrders, type OrdersModule } from '../src/modules/orders/index.ts';
import { CommitInDoubt, type Database } from '../src/shared/database.ts';
import { unavailable } from '../src/shared/failure.ts';
import { newId } from '../src/shared/identifier.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';

/** One fault at one step each, told as stories; test/order-interleavings.test.ts mixes them. */

let db: Database;
let closeStore: () => Promise<void>;
let catalog: Catalog;

beforeAll(async () => {
  ({ db, close: closeStore } = await openShopStore());
  catalog = createCatalog({ db, log, now: Date.now }).api;
});

afterAll(async () => {
  await run(shopWith(), 'orders-relay');
  expect(await findingsOf(db)).toEqual([]);
  await closeStore();
});

/** The orders of one process, with some of what they depend on replaced. */
function shopWith({
  faultyCatalog = {},
  faultyDb = {},
}: {
  faultyCatalog?: Partial<Catalog>;
  faultyDb?: Partial<Database>;
} = {}) {
  return createOrders({
    db: { ...db, ...faultyDb },
    catalog: { ...catalog, ...faultyCatalog },
    auth: nobody,
    log,
    now: Date.now,
    onAppended: () => {},
    intervals: { heldFor: -1000 },
  });
}

async function run({ tasks }: OrdersModule, name: string): Promise<void> {
  const task = tasks.find((candidate) => candidate.name === name);
  if (task === undefined) throw new Error(`There is no task ${name}.`);
  // a second time for the events that handling the first ones made
  for (let round = 0; round < 2; round++) while (await task.run(new AbortController().signal));
}

const stockOf = async (productId: string) => {
  const [row] = await db.rows<{ on_hand: number; reserved: number }>(
    'SELECT on_hand, reserved FROM catalog_stock WHERE product_id = ?',
    [productId],
  );
  return row;
};
const down = () => unavailable('down');
const never = () => new Promise<never>(() => {});

async function request(stock = 1) {
  const productId = await addProduct(db, { stock });
  return { productId, order: { userId: newId(), items: [{ productId, quantity: 1 }], idempotencyKey: newId() } };
}

/** Resolves when the catalog has reserved for a process that dies before it hears of it. */
function dieAfterReserve(order: Parameters<OrdersModule['api']['place']>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    const { api } = shopWith({
      faultyCatalog: {
        reserve: async (...call) => {
          await catalog.reserve(...call);
          resolve();
          return never();
        },
      },
    });
    api.place(order).catch(reject);
  });
}

describe('a process that dies after it reserved', () => {
  it('leaves pieces that the sweep gives back, for somebody else to buy', async () => {
    const { productId, order } = await request();
    await dieAfterReserve(order);
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    await run(shopWith(), 'orders-sweep');
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
    await shopWith().api.place({ ...order, userId: newId() });
  });

  it('leaves an attempt that a retry with the same key goes on with', async () => {
    const { productId, order } = await request();
    await dieAfterReserve(order);
    const { api } = shopWith();
    expect((await api.place(order)).replayed).toBe(false);
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    await run(shopWith(), 'orders-sweep');
    expect(await stockOf(productId)).toEqual({ on_hand: 0, reserved: 0 });
  });

  it('can not place the order any more once the sweep has claimed the attempt', async () => {
    const { productId, order } = await request();
    let goOn = () => {};
    const late = shopWith({
      faultyCatalog: {
        reserve: async (...call) => {
          const reservation = await catalog.reserve(...call);
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
          return reservation;
        },
      },
    }).api.place({ userId: order.userId, items: order.items });
    while ((await stockOf(productId))?.reserved === 0) await new Promise(setImmediate);
    await run(shopWith(), 'orders-sweep');
    goOn();
    await expect(late).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
    expect(await db.rows('SELECT id FROM orders_orders WHERE user_id = ?', [order.userId])).toEqual([]);
  });
});

describe('a retry', () => {
  it('is not refused for the pieces that its own given-up attempt still holds', async () => {
    const { productId, order } = await request();
    const insertFails = shopWith({
      faultyDb: { transaction: failOnce(down) },
      faultyCatalog: { release: () => Promise.reject(down()) },
    });
    await expect(insertFails.api.place(order)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    expect((await shopWith().api.place(order)).order.items).toMatchObject([{ productId, quantity: 1 }]);
    await run(shopWith(), 'orders-relay');
    expect(await stockOf(productId)).toEqual({ on_hand: 0, reserved: 0 });
  });

  it('with another body is refused, and leaves the attempt to who made it', async () => {
    const { productId, order } = await request(2);
    await dieAfterReserve(order);
    const other = { ...order, items: [{ productId, quantity: 2 }] };
    await expect(shopWith().api.place(other)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect((await shopWith().api.place(order)).replayed).toBe(false);
    await run(shopWith(), 'orders-relay');
  });

  it('takes as many attempts as were given up before', async () => {
    const { productId, order } = await request();
    for (let attempt = 0; attempt < 5; attempt++) {
      const { api } = shopWith({ faultyDb: { transaction: failOnce(down) } });
      await expect(api.place(order)).rejects.toMatchObject({ code: 'unavailable' });
    }
    await shopWith().api.place(order);
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    await run(shopWith(), 'orders-relay');
  });
});

describe('a COMMIT without an answer', () => {
  const inDoubt = () => new CommitInDoubt('the connection was lost');

  it('that happened is answered with the order', async () => {
    const { order } = await request();
    const { api } = shopWith({ faultyDb: { transaction: failOnce(inDoubt, 'after') } });
    const { order: placed, replayed } = await api.place(order);
    expect(replayed).toBe(false);
    expect(await shopWith().api.place(order)).toEqual({ order: placed, replayed: true });
    await run(shopWith(), 'orders-relay');
  });

  it('that did not happen is answered 503, and never happens', async () => {
    const { productId, order } = await request();
    const { api } = shopWith({ faultyDb: { transaction: failOnce(inDoubt) } });
    await expect(api.place({ userId: order.userId, items: order.items })).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
  });

  it('answers each order of a batch by its own claim', async () => {
    const wishes = await Promise.all(Array.from({ length: 20 }, () => request()));
    const { api } = shopWith({ faultyDb: { transaction: failOnce(inDoubt, 'after') } });
    const placed = await Promise.all(wishes.map(({ order }) => api.place(order)));
    expect(new Set(placed.map(({ order }) => order.id)).size).toBe(20);
    await run(shopWith(), 'orders-relay');
  });
});

describe('an event', () => {
  it('that comes twice, or after a later one, changes nothing', async () => {
    const { productId, order } = await request();
    const shop = shopWith();
    const { order: placed } = await shop.api.place(order);
    const message = (type: string) => JSON.stringify({ id: newId(), type, orderId: placed.id });
    await Promise.all([shop.handleMessage(message('order.placed')), shopWith().handleMessage(message('order.placed'))]);
    await shop.api.transition({ orderId: placed.id, to: 'cancelled', by: 'customer' });
    await shop.handleMessage(message('order.cancelled'));
    await shop.handleMessage(message('order.placed'));
    await Promise.all([shop.handleMessage(message('order.cancelled')), shopWith().handleMessage(message('order.cancelled'))]);
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
    await run(shop, 'orders-relay');
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
    const movements = await db.rows<{ kind: string }>(
      'SELECT kind FROM catalog_stock_movements WHERE product_id = ? ORDER BY created_at, id',
      [productId],
    );
    expect(movements.map(({ kind }) => kind)).toEqual(['initial', 'sale', 'return']);
  });

  it('is delivered although the relay that took it died', async () => {
    const { productId, order } = await request();
    await shopWith().api.place(order);
    await new Promise<void>((taken) => {
      const commit = () => {
        taken();
        return never();
      };
      const deadRelay = shopWith({ faultyCatalog: { commit } });
      void deadRelay.tasks.find(({ name }) => name === 'orders-relay')?.run(new AbortController().signal);
    });
    await run(shopWith(), 'orders-relay');
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    // after the lease
    await db.run(
      `UPDATE orders_outbox SET due_at = '1970-01-01 00:00:00.000', leased_until = '1970-01-01 00:00:00.000' WHERE published_at IS NULL`,
    );
    await run(shopWith(), 'orders-relay');
    expect(await stockOf(productId)).toEqual({ on_hand: 0, reserved: 0 });
  });

  it('that can not be handled is put aside after ten tries and holds up no other', async () => {
    const { order } = await request();
    const { order: placed } = await shopWith().api.place(order);
    const broken = shopWith({ faultyCatalog: { commit: () => Promise.reject(new Error('a fault of ours')) } });
    for (let attempt = 0; attempt < 10; attempt++) {
      await run(broken, 'orders-relay');
      await db.run(
        `UPDATE orders_outbox SET due_at = '1970-01-01 00:00:00.000', leased_until = '1970-01-01 00:00:00.000' WHERE published_at IS NULL`,
      );
    }
    const [event] = await db.rows<{ attempts: number; dead_at: string; last_error: string }>(
      'SELECT attempts, dead_at, last_error FROM orders_outbox WHERE order_id = ?',
      [placed.id],
    );
    expect(event).toMatchObject({ attempts: 10, dead_at: expect.any(String), last_error: 'a fault of ours' });
    const next = await request();
    await shopWith().api.place(next.order);
    await run(shopWith(), 'orders-relay');
    expect(await stockOf(next.productId)).toEqual({ on_hand: 0, reserved: 0 });
    expect((await findingsOf(db)).map(({ invariant }) => invariant)).toEqual(['I-10']);
    await db.run('UPDATE orders_outbox SET dead_at = NULL WHERE order_id = ?', [placed.id]);
    await run(shopWith(), 'orders-relay');
  });

  it('waits as long as a store is down', async () => {
    const { productId, order } = await request();
    await shopWith().api.place(order);
    const blind = shopWith({ faultyCatalog: { commit: () => Promise.reject(down()) } });
    for (let attempt = 0; attempt < 12; attempt++) {
      await expect(run(blind, 'orders-relay')).rejects.toMatchObject({ code: 'unavailable' });
      await db.run(
        `UPDATE orders_outbox SET due_at = '1970-01-01 00:00:00.000', leased_until = '1970-01-01 00:00:00.000' WHERE published_at IS NULL`,
      );
    }
    await run(shopWith(), 'orders-relay');
    expect(await stockOf(productId)).toEqual({ on_hand: 0, reserved: 0 });
  });
});

describe('a big order', () => {
  it('may have 2,000 different products', async () => {
    const products: string[] = [];
    await db.transaction(async (tx) => {
      for (let index = 0; index < 2000; index++) products.push(await addProduct(tx, { stock: 1 }));
    });
    const items = products.map((productId) => ({ productId, quantity: 1 }));
    const { order } = await shopWith().api.place({ userId: newId(), items });
    expect(order.items.map(({ productId }) => productId)).toEqual(products);
    await run(shopWith(), 'orders-relay');
    await expect(shopWith().api.place({ userId: newId(), items })).rejects.toMatchObject({
      code: 'out-of-stock',
      members: { items: { length: 2000 } },
    });
  }, 60_000);
});

/** Fails the first transaction, before it begins or after it was committed. */
function failOnce(makeError: () => Error, when: 'before' | 'after' = 'before'): Database['transaction'] {
  let failed = false;
  return async (work, options) => {
    if (failed) return db.transaction(work, options);
    failed = true;
    if (when === 'after') await db.transaction(work, options);
    throw makeError();
  };
}

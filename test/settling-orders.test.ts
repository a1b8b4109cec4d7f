import { type Catalog, createCatalog } from '../src/modules/catalog/index.ts';
import { createOrders, type OrdersModule } from '../src/modules/orders/index.ts';
import type { Database, SqlTransaction } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';
import { noteStatements, type Statement } from './harness/noted-statements.ts';

/** What a step finds when another one came in between. */

let db: Database;
let closeStore: () => Promise<void>;
let catalog: Catalog;
beforeAll(async () => {
  ({ db, close: closeStore } = await openShopStore());
  catalog = createCatalog({ db, log, now: Date.now }).api;
});
afterAll(() => closeStore());

const ordersOn = (replaced: { readonly db?: Database; readonly catalog?: Catalog } = {}) =>
  createOrders({ db, catalog, auth: nobody, log, now: Date.now, onAppended: () => {}, ...replaced });
const run = async ({ tasks }: OrdersModule, name: string) => {
  const task = tasks.find((candidate) => candidate.name === name);
  while (await task?.run(new AbortController().signal));
};
const stockOf = async (productId: string) =>
  (await db.rows('SELECT on_hand, reserved FROM catalog_stock WHERE product_id = ?', [productId]))[0];

async function placed() {
  const productId = await addProduct(db, { stock: 1 });
  const { order } = await ordersOn().api.place({ userId: newId(), items: [{ productId, quantity: 1 }] });
  const message = (type: string) => JSON.stringify({ id: newId(), type, orderId: order.id });
  return { productId, orderId: order.id, message };
}
const cancel = (orderId: string) => ordersOn().api.transition({ orderId, to: 'cancelled', by: 'customer' });

describe('transitions that share a transaction', () => {
  it('may move an order twice, beside another that moves on from the same state', async () => {
    const [twice, other] = [await placed(), await placed()];
    await ordersOn().handleMessage(other.message('order.placed'));
    const { api } = ordersOn();
    await Promise.all([
      api.transition({ orderId: other.orderId, to: 'cancelled', by: 'customer' }),
      api.transition({ orderId: twice.orderId, to: 'confirmed', by: 'system' }),
      api.transition({ orderId: twice.orderId, to: 'cancelled', by: 'customer' }),
    ]);
    for (const { orderId } of [twice, other]) {
      expect(await api.get({ orderId })).toMatchObject({ status: 'cancelled', version: 3 });
      expect((await api.timeline({ orderId })).map(({ status }) => status)).toEqual(['placed', 'confirmed', 'cancelled']);
    }
  });
});

describe('a cancel that comes between the sale and the confirmation', () => {
  it('has its pieces back before its own event was even sent', async () => {
    const { productId, orderId, message } = await placed();
    let cancelled = false;
    const interrupted: Catalog = {
      ...catalog,
      commit: async (reservationId) => {
        const state = await catalog.commit(reservationId);
        if (!cancelled) await cancel(orderId);
        cancelled = true;
        return state;
      },
    };
    await ordersOn({ catalog: interrupted }).handleMessage(message('order.placed'));
    expect(await ordersOn().api.get({ orderId })).toMatchObject({ status: 'cancelled' });
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
  });
});

describe('an order whose pieces were given back by somebody', () => {
  it('is never confirmed', async () => {
    const { productId, orderId, message } = await placed();
    const [row] = await db.rows<{ reservation_id: string }>('SELECT reservation_id FROM orders_orders WHERE id = ?', [orderId]);
    await catalog.release(row?.reservation_id ?? '');
    await expect(ordersOn().handleMessage(message('order.placed'))).rejects.toThrow('does not settle');
    expect(await ordersOn().api.get({ orderId })).toMatchObject({ status: 'placed' });
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
  });
});

describe('many events at once', () => {
  // what other stories left behind would be tried again among them
  beforeEach(() => db.run('DELETE FROM orders_outbox'));

  const placeMany = (count: number) => Promise.all(Array.from({ length: count }, placed));
  const deliveries = {
    'the relay': (orders: OrdersModule) => run(orders, 'orders-relay'),
    'a queue': async (orders: OrdersModule, bodies: readonly string[]) => {
      await Promise.allSettled(bodies.map((body) => orders.handleMessage(body)));
    },
  };

  it.each(Object.entries(deliveries))('ask the stores no more often than one event does, by %s', async (_, deliver) => {
    const costOf = async (count: number) => {
      const many = await placeMany(count);
      const statements: Statement[] = [];
      const watched = noteStatements(db, statements);
      const shop = ordersOn({ db: watched, catalog: createCatalog({ db: watched, log, now: Date.now }).api });
      await deliver(
        shop,
        many.map(({ message }) => message('order.placed')),
      );
      for (const { orderId } of many) expect(await ordersOn().api.get({ orderId })).toMatchObject({ status: 'confirmed' });
      return statements.length;
    };
    const one = await costOf(1);
    expect(one).toBeGreaterThan(0);
    expect(await costOf(40)).toBe(one);
  });

  it('that are new are handled beside one that came before', async () => {
    const [first, ...others] = await placeMany(4);
    const again = first?.message('order.placed') ?? '';
    const shop = ordersOn();
    await shop.handleMessage(again);
    await Promise.all([again, ...others.map(({ message }) => message('order.placed'))].map((body) => shop.handleMessage(body)));
    for (const { orderId } of others) expect(await shop.api.get({ orderId })).toMatchObject({ status: 'confirmed' });
  });

  it.each(Object.entries(deliveries))('let none that can not be handled hold up another, by %s', async (_, deliver) => {
    const many = await placeMany(8);
    const [released, cancelled, erased, ...good] = many;
    if (released === undefined || cancelled === undefined || erased === undefined) throw new Error('too few orders');
    const [row] = await db.rows<{ reservation_id: string }>('SELECT reservation_id FROM orders_orders WHERE id = ?', [
      released.orderId,
    ]);
    await catalog.release(row?.reservation_id ?? '');
    await cancel(cancelled.orderId);
    await db.run('UPDATE orders_outbox SET order_id = ? WHERE order_id = ?', [newId(), erased.orderId]);
    await deliver(ordersOn(), [
      'no message',
      ...many.filter((order) => order !== erased).map(({ message }) => message('order.placed')),
      ...good.map(({ message }) => message('order.placed')),
      cancelled.message('order.cancelled'),
    ]);
    const outcomes = [];
    for (const { orderId, productId } of many) {
      outcomes.push([(await ordersOn().api.get({ orderId })).status, await stockOf(productId)]);
    }
    expect(outcomes).toEqual([
      ['placed', { on_hand: 1, reserved: 0 }],
      ['cancelled', { on_hand: 1, reserved: 0 }],
      ['placed', { on_hand: 1, reserved: 1 }],
      ...good.map(() => ['confirmed', { on_hand: 0, reserved: 0 }]),
    ]);
  });
});

describe('a transition', () => {
  it('leads only to where the state of the order allows', async () => {
    const { orderId, message } = await placed();
    const { api } = ordersOn();
    const refused = async (...states: readonly ('confirmed' | 'shipped' | 'delivered' | 'cancelled')[]) => {
      for (const to of states)
        await expect(api.transition({ orderId, to, by: 'staff' })).rejects.toMatchObject({ code: 'illegal-transition' });
    };
    await refused('shipped', 'delivered');
    await ordersOn().handleMessage(message('order.placed'));
    await refused('confirmed', 'delivered');
    await api.transition({ orderId, to: 'shipped', by: 'staff' });
    await refused('confirmed', 'shipped', 'cancelled');
    await api.transition({ orderId, to: 'delivered', by: 'staff' });
    await refused('confirmed', 'shipped', 'delivered', 'cancelled');
  });

  it('is refused when the order is no longer what the decision rested on', async () => {
    const { orderId, message } = await placed();
    await ordersOn().handleMessage(message('order.placed'));
    const before = await db.rows('SELECT * FROM orders_orders WHERE id = ?', [orderId]);
    await cancel(orderId);
    const outdated: Database = {
      ...db,
      transaction: (work, options) =>
        db.transaction((tx) => {
          // the rows of a moment ago, as the store itself gave them
          const rows: SqlTransaction['rows'] = async (sql, params) =>
            (sql.includes(' orders_orders ') ? before : await tx.rows(sql, params)) as never;
          return work({ ...tx, rows });
        }, options),
    };
    await expect(ordersOn({ db: outdated }).api.transition({ orderId, to: 'shipped', by: 'staff' })).rejects.toThrow(
      'changed although it was locked',
    );
    expect(await ordersOn().api.get({ orderId })).toMatchObject({ status: 'cancelled', version: 3 });
    expect(await ordersOn().api.timeline({ orderId })).toHaveLength(3);
  });
});

describe('the sweep', () => {
  it('leaves a reservation alone for a minute, because its order may still come', async () => {
    const productId = await addProduct(db, { stock: 1 });
    const reservationId = newId();
    await catalog.reserve(reservationId, [{ productId, quantity: 1 }]);
    const age = async (seconds: number) => {
      const at = new Date(Date.now() - seconds * 1000).toISOString().replace('T', ' ').replace('Z', '');
      await db.run('UPDATE catalog_reservations SET created_at = ? WHERE id = ?', [at, reservationId]);
      await run(ordersOn(), 'orders-sweep');
    };
    await age(45);
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 1 });
    await age(75);
    expect(await stockOf(productId)).toEqual({ on_hand: 1, reserved: 0 });
  });
});

describe('purging', () => {
  const old = '2020-01-01 00:00:00.000';

  it('forgets abandoned attempts that nobody can come back to, and keeps those of a key', async () => {
    const productId = await addProduct(db, { stock: 2 });
    const failing = ordersOn({
      db: {
        ...db,
        transaction: (work, options) => (options?.fresh ? db.transaction(work, options) : Promise.reject(new Error('down'))),
      },
    });
    for (const key of [{}, { idempotencyKey: newId() }])
      await expect(failing.api.place({ userId: newId(), items: [{ productId, quantity: 1 }], ...key })).rejects.toMatchObject({
        code: 'unavailable',
      });
    await run(ordersOn(), 'orders-purge');
    const voids = () => db.rows<{ reservation_id: string }>("SELECT reservation_id FROM orders_claims WHERE kind = 'void'");
    const before = (await voids()).length;
    await db.run("UPDATE orders_claims SET created_at = ? WHERE kind = 'void'", [old]);
    await run(ordersOn(), 'orders-purge');
    const kept = (await voids()).map(({ reservation_id: id }) => id);
    expect(before).toBeGreaterThan(kept.length);
    expect(kept).toEqual([expect.stringMatching(/^.{14}8/)]);
    expect(await catalog.reservationStates(kept)).toMatchObject([{ state: 'released' }]);
  });

  it('never removes an event that was not sent, however old it is', async () => {
    const [{ orderId }, sent] = [await placed(), await placed()];
    await db.run('UPDATE orders_outbox SET created_at = ?', [old]);
    await db.run('UPDATE orders_outbox SET published_at = ? WHERE order_id = ?', [old, sent.orderId]);
    await run(ordersOn(), 'orders-purge');
    expect(await db.rows('SELECT type FROM orders_outbox WHERE order_id = ?', [orderId])).toEqual([{ type: 'order.placed' }]);
    expect(await db.rows('SELECT type FROM orders_outbox WHERE order_id = ?', [sent.orderId])).toEqual([]);
  });
});

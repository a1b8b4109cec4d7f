import type { Auth } from '../../src/modules/auth/index.ts';
import { type Catalog, createCatalog } from '../../src/modules/catalog/index.ts';
import { createOrders, type OrdersModule } from '../../src/modules/orders/index.ts';
import type { Database } from '../../src/shared/database.ts';
import { newId } from '../../src/shared/identifier.ts';
import { addProduct, silent as log, nobody, openShopStore } from './module-door.ts';

/** One order, or one attempt, of each kind that a shop can have. */
export interface Sample {
  readonly order: string;
  readonly reservation: string;
}

export interface AuditedShop {
  readonly db: Database;
  readonly catalog: Catalog;
  readonly orders: OrdersModule;
  readonly product: string;
  /** delivered */
  readonly sold: Sample;
  /** confirmed, of the same product and quantity as `sold` */
  readonly confirmed: Sample;
  /** cancelled after it was sold */
  readonly returned: Sample;
  /** cancelled before it was sold */
  readonly released: Sample;
  /** an attempt that the sweep gave up */
  readonly voided: string;
  /** of a user who was erased since */
  readonly erased: Sample;
  /** the day of all of them, two days ago; closed */
  readonly day: string;
  run(task: string): Promise<void>;
  close(): Promise<void>;
}

const dayMs = 86_400_000;

/** A shop with orders in every state, everything delivered, its days closed, one user erased. */
export async function openAuditedShop(): Promise<AuditedShop> {
  const { db, close } = await openShopStore();
  const catalog = createCatalog({ db, log, now: Date.now }).api;
  const due: { userId: string }[] = [];
  const auth: Auth = { ...nobody, usersToErase: async () => due.splice(0) };
  let agoMs = 2 * dayMs;
  const now = () => Date.now() - agoMs;
  const orders = createOrders({ db, catalog, auth, log, now, onAppended: () => {}, intervals: { heldFor: -1000 } });
  const run = async (name: string) => {
    const task = orders.tasks.find((candidate) => candidate.name === name);
    if (task === undefined) throw new Error(`There is no task ${name}.`);
    // a second time for the events that handling the first ones made
    for (let round = 0; round < 2; round++) while (await task.run(new AbortController().signal));
  };
  const product = await addProduct(db, { stock: 100 });
  const place = async (userId = newId()): Promise<Sample> => {
    const { order } = await orders.api.place({ userId, items: [{ productId: product, quantity: 2 }], idempotencyKey: newId() });
    const [row] = await db.rows<{ id: string }>('SELECT reservation_id AS id FROM orders_orders WHERE id = ?', [order.id]);
    return { order: order.id, reservation: row?.id ?? '' };
  };
  const move = (orderId: string, to: 'cancelled' | 'shipped' | 'delivered') =>
    orders.api.transition({ orderId, to, by: 'staff' });

  const released = await place();
  await move(released.order, 'cancelled');
  const erasedUser = newId();
  const [sold, confirmed, returned, erased] = [await place(), await place(), await place(), await place(erasedUser)];
  const voided = newId();
  await catalog.reserve(voided, [{ productId: product, quantity: 1 }]);
  await run('orders-relay');
  await run('orders-sweep');
  await move(sold.order, 'shipped');
  await move(sold.order, 'delivered');
  await move(returned.order, 'cancelled');
  await run('orders-relay');
  due.push({ userId: erasedUser });
  await run('orders-erasure');
  for (const { order } of [sold, returned]) await receive({ db, orders }, order);
  const day = new Date(now()).toISOString().slice(0, 10);
  agoMs = 0;
  await run('orders-rollup');
  return { db, catalog, orders, product, sold, confirmed, returned, released, voided, erased, day, run, close };
}

/** The event of an order comes once more, by a queue. */
async function receive({ db, orders }: { db: Database; orders: OrdersModule }, orderId: string): Promise<void> {
  const [event] = await db.rows<{ id: string }>("SELECT id FROM orders_outbox WHERE order_id = ? AND type = 'order.placed'", [
    orderId,
  ]);
  await orders.handleMessage(JSON.stringify({ id: event?.id, type: 'order.placed', orderId }));
}

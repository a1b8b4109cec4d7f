import { type Catalog, createCatalog } from '../src/modules/catalog/index.ts';
import { createOrders, type Order } from '../src/modules/orders/index.ts';
import { runInBackground } from '../src/shared/background.ts';
import type { Database } from '../src/shared/database.ts';
import { unavailable } from '../src/shared/failure.ts';
import { newId } from '../src/shared/identifier.ts';
import { createConsumer } from '../src/shared/queue-consumer.ts';
import { createSqsQueue } from '../src/shared/sqs-queue.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { eventually } from './harness/eventually.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';
import { type QueueService, startQueue } from './harness/queue.ts';

/** Orders of two processes over one database and one queue of SQS; what each does to the other is only in those. */

let db: Database;
let closeStore: () => Promise<void>;
let catalog: Catalog;
let service: QueueService;
let catalogCalls = 0;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  ({ db, close: closeStore } = await openShopStore());
  catalog = createCatalog({ db, log, now: Date.now }).api;
  service = await startQueue();
});

afterEach(async () => {
  service.faultOf = () => 'none';
  await Promise.all(running.splice(0).map((shop) => shop.stop()));
});

afterAll(async () => {
  expect(await findingsOf(db)).toEqual([]);
  await service.close();
  await closeStore();
});

/** One process: its orders, and with `works` its relay and consumer. */
function openShop({ works = true, faulty = {} }: { works?: boolean; faulty?: Partial<Catalog> } = {}) {
  const queue = createSqsQueue(service.settings);
  const counted: Partial<Catalog> = {
    commit: (id) => {
      catalogCalls += 1;
      return catalog.commit(id);
    },
    release: (id) => {
      catalogCalls += 1;
      return catalog.release(id);
    },
  };
  let wake = () => {};
  const orders = createOrders({
    db,
    catalog: { ...catalog, ...counted, ...faulty },
    auth: nobody,
    log,
    now: Date.now,
    onAppended: () => wake(),
    queue,
  });
  const relay = orders.tasks.filter(({ name }) => name === 'orders-relay');
  const settings = { waitSeconds: 1, holdSeconds: 2, graceMs: 100 };
  const consumer = createConsumer({ name: 'orders-consumer', queue, handle: orders.handleMessage, log, settings });
  const runner = works ? runInBackground([...relay, consumer.task], log) : undefined;
  wake = () => runner?.wake('orders-relay');
  const shop = {
    orders,
    queue,
    relayOnce: () => relay[0]?.run(new AbortController().signal),
    stop: async () => {
      await runner?.stop();
      await consumer.close();
      queue.close();
    },
  };
  running.push(shop);
  return shop;
}

async function place({ orders }: ReturnType<typeof openShop>): Promise<Order> {
  const productId = await addProduct(db, { stock: 1 });
  const { order } = await orders.api.place({ userId: newId(), items: [{ productId, quantity: 1 }] });
  return order;
}

const statusesOf = async (orders: readonly Order[]) => {
  const { orders: reader } = openShop({ works: false });
  return Promise.all(orders.map(async ({ id }) => (await reader.api.get({ orderId: id })).status));
};
const allConfirmed = (orders: readonly Order[]) =>
  eventually(async () => expect(await statusesOf(orders)).toEqual(orders.map(() => 'confirmed')));
const eventOf = async ({ id }: Order) => {
  const [row] = await db.rows<{ id: string; attempts: number; published_at: string | null; dead_at: string | null }>(
    "SELECT id, attempts, published_at, dead_at FROM orders_outbox WHERE order_id = ? AND type = 'order.placed'",
    [id],
  );
  if (row === undefined) throw new Error('The order has no event.');
  return row;
};
const inboxOf = async (eventId: string) => (await db.rows('SELECT * FROM orders_inbox WHERE event_id = ?', [eventId])).length;
const messageOf = async (order: Order) =>
  JSON.stringify({ id: (await eventOf(order)).id, type: 'order.placed', orderId: order.id, sequence: 1, at: order.createdAt });
const none = { waiting: 0, held: 0 };
const queueEmpty = () => eventually(async () => expect(await service.counts()).toEqual(none));
/** Held ones too: a poll that was given up may have taken some. */
const inQueue = () => service.counts().then(({ waiting, held }) => waiting + held);

/** Lets another process deliver what earlier orders left behind. */
async function deliverAll(): Promise<void> {
  const shop = openShop();
  await eventually(async () => expect(await db.rows('SELECT id FROM orders_outbox WHERE published_at IS NULL')).toEqual([]));
  await queueEmpty();
  await shop.stop();
}

describe('an order whose events go through SQS', () => {
  it('is confirmed, whichever process placed it, sends its event and handles it', async () => {
    const shops = [openShop(), openShop()];
    const placed = await Promise.all(Array.from({ length: 30 }, (_, n) => place(shops[n % 2] ?? openShop())));
    await allConfirmed(placed);
    await queueEmpty();
    for (const order of placed) expect(await inboxOf((await eventOf(order)).id)).toBe(1);
  });

  it('is accepted while SQS is down, and confirmed when it is back', async () => {
    const shop = openShop();
    await place(shop);
    service.faultOf = () => 'cut before';
    const placed = await Promise.all(Array.from({ length: 80 }, () => place(shop)));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(new Set(await statusesOf(placed))).toEqual(new Set(['placed']));
    service.faultOf = () => 'none';
    await allConfirmed(placed);
    const events = await Promise.all(placed.map(eventOf));
    expect(events.filter(({ attempts, dead_at }) => attempts > 0 || dead_at !== null)).toEqual([]);
  });

  it('is not asked for again and again while SQS is down, however many orders come in', async () => {
    service.faultOf = () => 'cut before';
    const shop = openShop();
    const before = service.actions.length;
    const placed: Order[] = [];
    for (let n = 0; n < 50; n++) placed.push(await place(shop));
    const sent = service.actions.slice(before).filter((action) => action === 'SendMessageBatch').length;
    expect(sent).toBeLessThan(40);
    service.faultOf = () => 'none';
    await allConfirmed(placed);
  });

  it('is sent again when SQS took only a part of the batch', async () => {
    await deliverAll();
    const shop = openShop({ works: false });
    const placed = await Promise.all(Array.from({ length: 15 }, () => place(shop)));
    const refused = new Set(placed.slice(0, 4).map(({ id }) => id));
    service.faultOf = () => ({ refuse: (body) => refused.has(JSON.parse(body).orderId) });
    await shop.relayOnce();
    const published = await Promise.all(placed.map(async (order) => (await eventOf(order)).published_at !== null));
    expect(published).toEqual(placed.map(({ id }) => !refused.has(id)));
    expect(await inQueue()).toBe(11);
    service.faultOf = () => 'none';
    openShop();
    await allConfirmed(placed);
  });

  it('is handled once when SQS took the events and nobody heard the answer', async () => {
    const relay = openShop({ works: false });
    const order = await place(relay);
    service.faultOf = () => 'cut after';
    await expect(relay.relayOnce()).rejects.toThrow('SQS');
    expect((await service.counts()).waiting).toBeGreaterThanOrEqual(1);
    service.faultOf = () => 'none';
    openShop();
    await allConfirmed([order]);
    await queueEmpty();
    expect(await inboxOf((await eventOf(order)).id)).toBe(1);
  });

  it('is sent by another relay when the first one died between sending and marking', async () => {
    const dying = openShop({ works: false });
    const order = await place(dying);
    const { id } = await eventOf(order);
    await dying.queue.send([{ id, body: await messageOf(order) }]);
    await db.run("UPDATE orders_outbox SET leased_by = ?, leased_until = '1970-01-01 00:00:01.000' WHERE id = ?", [newId(), id]);
    openShop();
    await allConfirmed([order]);
    await eventually(async () => expect((await eventOf(order)).published_at).not.toBeNull());
    await queueEmpty();
  });

  it('is left alone by a relay while another one holds its lease', async () => {
    await deliverAll();
    const [first, second] = [openShop({ works: false }), openShop({ works: false })];
    const placed = await Promise.all(Array.from({ length: 100 }, () => place(first)));
    await Promise.all([first.relayOnce(), second.relayOnce()]);
    await Promise.all([first.relayOnce(), second.relayOnce()]);
    expect(await inQueue()).toBe(100);
    openShop();
    await allConfirmed(placed);
  });
});

describe('a message', () => {
  it('that comes three times and out of order is handled once', async () => {
    const shop = openShop();
    const order = await place(shop);
    await allConfirmed([order]);
    await shop.orders.api.transition({ orderId: order.id, to: 'cancelled', by: 'customer' });
    const placedMessage = await messageOf(order);
    await deliverAll(); // the cancel too, which may not even be sent yet
    const calls = catalogCalls;
    const copies = Array.from({ length: 3 }, () => ({ id: newId(), body: placedMessage }));
    expect((await shop.queue.send(copies)).every(({ sent }) => sent)).toBe(true);
    await queueEmpty();
    expect(await statusesOf([order])).toEqual(['cancelled']);
    expect(await inboxOf((await eventOf(order)).id)).toBe(1);
    expect(catalogCalls).toBe(calls);
  });

  it('that comes three times at once to two processes is handled once', async () => {
    const shops = [openShop({ works: false }), openShop({ works: false })];
    const order = await place(shops[0] ?? openShop());
    const message = await messageOf(order);
    await Promise.all([...shops, ...shops, ...shops].map(({ orders }) => orders.handleMessage(message)));
    expect(await statusesOf([order])).toEqual(['confirmed']);
    expect(await inboxOf((await eventOf(order)).id)).toBe(1);
    await openShop({ works: false }).relayOnce();
    openShop();
    await queueEmpty();
  });

  it('stays with a handler that takes longer than the time for which messages are held', async () => {
    const starts: string[] = [];
    const slow: Partial<Catalog> = {
      commit: async (id) => {
        starts.push(id);
        await new Promise((resolve) => setTimeout(resolve, 5000));
        return catalog.commit(id);
      },
    };
    const [shop] = [openShop({ faulty: slow }), openShop({ faulty: slow })];
    const order = await place(shop);
    await allConfirmed([order]);
    expect(starts).toHaveLength(1);
  });

  it('waits for a store that is down instead of becoming a dead letter', async () => {
    await deliverAll();
    let down = true;
    const faulty: Partial<Catalog> = {
      commit: async (id) => {
        if (down) throw unavailable('down');
        return catalog.commit(id);
      },
    };
    const order = await place(openShop({ faulty }));
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(await service.counts()).toEqual({ waiting: 0, held: 1 });
    down = false;
    await allConfirmed([order]);
    expect(await service.counts(service.deadLetterQueueUrl)).toEqual(none);
  });

  it('that was being handled when its process stopped is handled by another', async () => {
    await deliverAll();
    const stuck = new Set<string>();
    const faulty: Partial<Catalog> = {
      commit: (id) => {
        stuck.add(id);
        return new Promise(() => {});
      },
    };
    const stopping = openShop({ faulty });
    const placed = await Promise.all(Array.from({ length: 12 }, () => place(stopping)));
    await eventually(async () => expect(stuck.size).toBe(12));
    await stopping.stop();
    expect((await service.counts()).waiting).toBeGreaterThan(6);
    openShop();
    await allConfirmed(placed);
  });

  it('that nobody can read goes to the dead-letter queue, and holds nobody up', async () => {
    const event = { id: newId(), type: 'order.placed', orderId: newId() };
    const unreadable = [{ orderId: 7 }, { ...event, type: 'order.eaten' }, { ...event, more: 'x'.repeat(262_000) }];
    const bodies = ['this is no JSON', ...unreadable.map((each) => JSON.stringify(each))];
    const shop = openShop();
    for (const MessageBody of bodies) await service.sqs.sendMessage({ QueueUrl: service.settings.queueUrl, MessageBody });
    await allConfirmed([await place(shop)]);
    const dead = new Set<string | undefined>();
    await eventually(async () => {
      const { Messages = [] } = await service.sqs.receiveMessage({ QueueUrl: service.deadLetterQueueUrl });
      for (const { Body } of Messages) dead.add(Body);
      expect(dead).toEqual(new Set(bodies));
    });
    await queueEmpty();
  });
});

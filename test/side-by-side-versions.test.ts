import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Database, openMysql } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { migrate, pendingMigrations, undoLastMigration } from '../src/shared/migrations.ts';
import { createSqsQueue } from '../src/shared/sqs-queue.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { eventually } from './harness/eventually.ts';
import { startTask, type Task } from './harness/fleet.ts';
import { type Answer, type Call, send } from './harness/open-load.ts';
import { type QueueService, startQueue } from './harness/queue.ts';
import { freePort } from './harness/server-child.ts';
import { makeShopStores, type ShopStores } from './harness/stores.ts';

/** While a deployment is under way two versions share the stores: each has to live with what the other one writes. */

const entry = join(__dirname, '..', 'src', 'server.ts');
const admin = { username: 'admin', password: 'the first admin of all' };
/** of a step that only the next version has */
const nextStep = '9999-orders-refunds';

const patienceMs = 45_000;

let stores: ShopStores;
let queue: QueueService;
let db: Database;
let env: Record<string, string>;
const running: Task[] = [];

beforeAll(async () => {
  [stores, queue] = await Promise.all([makeShopStores(), startQueue()]);
  db = await openMysql({ url: stores.variables.MYSQL_URL ?? '' });
  env = {
    ...stores.variables,
    SQS_ENDPOINT: queue.settings.endpoint ?? '',
    SQS_QUEUE_URL: queue.settings.queueUrl,
    JWT_PRIVATE_KEYS: generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
    REFRESH_KEYS: randomBytes(32).toString('hex'),
    PASSWORD_PEPPER: randomBytes(32).toString('hex'),
    BCRYPT_COST: '4',
    ADMIN_USERNAME: admin.username,
    ADMIN_PASSWORD: admin.password,
  };
}, 60_000);

afterAll(async () => {
  await Promise.all(running.map((task) => task.end('SIGKILL')));
  await db.close();
  await queue.close();
  await stores.remove();
}, 60_000);

interface Client {
  readonly url: string;
  readonly task: Task;
  call(
    method: Call['method'],
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, string>> }>;
  /** a placed order's id */
  order(): Promise<string>;
}

async function open({ awaitReady = true } = {}): Promise<Client> {
  const task = await startTask({ entry, env, port: await freePort(), readiness: awaitReady ? 200 : 503 });
  running.push(task);
  const url = `http://127.0.0.1:${task.port}`;
  let token: string | undefined;
  const call: Client['call'] = async (method, path, body) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer: Answer = await send({ url, call: { method, path, headers, ...(body !== undefined && { body }) } });
    return { status: answer.status, body: JSON.parse(answer.body) };
  };
  if (awaitReady) token = (await call('POST', '/api/auth/login', admin)).body.accessToken;
  let productId: string | undefined;
  const order = async () => {
    productId ??= (
      await call('POST', '/api/products', {
        sku: newId(),
        name: 'A lamp',
        price: { amount: 100, currency: 'GBP' },
        initialStock: 1000,
      })
    ).body.id;
    const { status, body } = await call('POST', '/api/orders', { items: [{ productId, quantity: 1 }] });
    expect(status).toBe(201);
    return body.id ?? '';
  };
  return { url, task, call, order };
}

/** What it logged as an error, but for stores that a busy machine made wait. */
const troubles = ({ task }: Client) => task.errors.filter((line) => !/timeout/i.test(line));

const becomes = (shop: Client, id: string, status: string) =>
  eventually(async () => expect((await shop.call('GET', `/api/orders/${id}`)).body.status).toBe(status), patienceMs);

describe('the next version, on the tables of the one before', () => {
  it('gets no requests until the migration has run, while the one before goes on', async () => {
    const before = await open();
    const undone = await undoLastMigration(db);
    const next = await open({ awaitReady: false });
    expect((await next.call('GET', '/readyz')).body.detail).toBe('The process waits for migrations.');
    expect((await next.call('GET', '/api/products')).status).toBe(503);
    expect((await next.call('GET', '/livez')).status).toBe(200);
    await becomes(before, await before.order(), 'confirmed');

    expect(await migrate(db)).toEqual([undone]);
    await eventually(async () => expect((await next.call('GET', '/readyz')).status).toBe(200));
    expect((await next.call('GET', '/api/products')).status).toBe(200);
    await becomes(before, await before.order(), 'confirmed');
    expect(troubles(before)).toEqual([]);
    // in order: what a killed one has received from the queue would come back after a while only
    for (const { task } of [before, next]) expect(await task.end('SIGTERM')).toBe(0);
  }, 120_000);
});

describe('this version, on the tables of the next one', () => {
  const addedTo: string[] = [];
  let shop: Client;

  beforeAll(async () => {
    const tables = await db.rows<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name <> 'shop_migrations'",
    );
    for (const { name } of tables) {
      await db.run(`ALTER TABLE ${name} ADD COLUMN added_by_the_next VARCHAR(50) NULL FIRST`);
      addedTo.push(name);
    }
    await db.run('CREATE TABLE orders_refunds (order_id CHAR(36) PRIMARY KEY)');
    await db.run('ALTER TABLE orders_orders DROP CONSTRAINT orders_orders_status');
    await db.run('INSERT INTO shop_migrations (name) VALUES (?)', [nextStep]);
    shop = await open();
  }, 60_000);

  it('is ready, sells, gives back, and finds its books clean beside columns and tables that it does not know', async () => {
    expect(addedTo).toEqual(expect.arrayContaining(['catalog_products', 'catalog_stock', 'orders_orders', 'orders_outbox']));
    expect(await pendingMigrations(db)).toEqual([]);
    const [kept, returned] = [await shop.order(), await shop.order()];
    await becomes(shop, kept, 'confirmed');
    expect((await shop.call('POST', `/api/orders/${returned}/cancel`)).status).toBe(200);
    expect((await shop.call('POST', `/api/orders/${kept}/ship`, {})).status).toBe(200);
    expect((await shop.call('GET', '/api/orders?limit=10')).status).toBe(200);
    await eventually(async () => expect(await findingsOf(db)).toEqual([]));
    expect(troubles(shop)).toEqual([]);
  }, 120_000);

  it('leaves a step alone that it does not know', async () => {
    expect(await migrate(db)).toEqual([]);
    await expect(undoLastMigration(db)).rejects.toThrow(nextStep);
    expect(await db.rows('SELECT name FROM shop_migrations WHERE name = ?', [nextStep])).toHaveLength(1);
  });

  it('shows an order in a state that it does not know, and refuses to move it', async () => {
    const [refunded, other] = [await shop.order(), await shop.order()];
    await becomes(shop, refunded, 'confirmed');
    await db.run("UPDATE orders_orders SET status = 'refunded', version = version + 1 WHERE id = ?", [refunded]);
    await db.run(
      `INSERT INTO orders_history (order_id, sequence, status, actor, created_at)
       SELECT id, version, status, 'staff', created_at FROM orders_orders WHERE id = ?`,
      [refunded],
    );
    expect(await shop.call('GET', `/api/orders/${refunded}`)).toMatchObject({ status: 200, body: { status: 'refunded' } });
    expect((await shop.call('GET', `/api/orders/${refunded}/events`)).status).toBe(200);
    expect((await shop.call('GET', '/api/orders?limit=100')).status).toBe(200);
    for (const action of ['cancel', 'ship', 'deliver'])
      expect(await shop.call('POST', `/api/orders/${refunded}/${action}`, action === 'ship' ? {} : undefined)).toMatchObject({
        status: 409,
        body: { type: '/problems/illegal-transition', from: 'refunded', allowed: [] },
      });
    await becomes(shop, other, 'confirmed');
    expect(troubles(shop)).toEqual([]);
    await db.run('DELETE FROM orders_history WHERE order_id = ? AND status = ?', [refunded, 'refunded']);
    await db.run("UPDATE orders_orders SET status = 'confirmed', version = version - 1 WHERE id = ?", [refunded]);
  }, 120_000);

  it('reads what is added to an event, and keeps for the next version the events that only that one knows', async () => {
    const order = await shop.order();
    await becomes(shop, order, 'confirmed');
    const sqs = createSqsQueue(queue.settings);
    const [known, unknown] = [newId(), newId()];
    const message = (id: string, type: string) => ({
      id,
      body: JSON.stringify({ id, type, orderId: order, version: 2, refund: { amount: 1 } }),
    });
    await sqs.send([message(known, 'order.placed'), message(unknown, 'order.refunded')]);
    // and one that the relay of this version sends, because it lies in the outbox
    const appended = newId();
    await db.run(
      `INSERT INTO orders_outbox (id, order_id, type, sequence, created_at, leased_until)
       SELECT ?, id, 'order.refunded', 99, created_at, created_at FROM orders_orders WHERE id = ?`,
      [appended, order],
    );
    await eventually(async () => {
      const [row] = await db.rows<{ count: number }>('SELECT COUNT(*) AS count FROM orders_inbox WHERE event_id = ?', [known]);
      expect(Number(row?.count)).toBe(1);
    });
    // given back until the queue puts them aside, from where they can be sent again
    await eventually(async () => expect((await queue.counts(queue.deadLetterQueueUrl)).waiting).toBe(2), patienceMs);
    await becomes(shop, await shop.order(), 'confirmed');
    expect((await db.rows('SELECT event_id FROM orders_inbox WHERE event_id IN (?, ?)', [unknown, appended])).length).toBe(0);
    expect(troubles(shop)).toEqual([]);
    await db.run('DELETE FROM orders_outbox WHERE id = ?', [appended]);
    sqs.close();
  }, 120_000);
});

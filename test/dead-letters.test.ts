import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openSqlite } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { temporaryFolder } from './child-process.ts';
import { eventually } from './harness/eventually.ts';
import { type QueueService, startQueue } from './harness/queue.ts';
import { type Shop, startShop } from './harness/shop.ts';

/** What could not be handled is kept, shown, and delivered again, with the shop running. */

const folders: { remove(): void }[] = [];
afterAll(() => {
  for (const folder of folders) folder.remove();
});

function newDataDir(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder.path;
}

const command = join(__dirname, '..', 'src', 'commands', 'events.ts');

async function events(env: Readonly<Record<string, string>>, ...args: string[]) {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [command, ...args], { env: { PATH, ...env }, timeout: 60_000 });
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, lines: out.trim().split('\n'), errors };
}

async function confirmedOrder(shop: Shop): Promise<string> {
  const customer = await shop.signUp();
  const product = await shop.makeProduct();
  const { body } = await shop.place(customer, [{ productId: product.id, quantity: 1 }]).expect(201);
  await eventually(async () => {
    const answer = await customer.api.get(`/api/orders/${body.id}`).expect(200);
    expect(answer.body.status).toBe('confirmed');
  });
  return body.id;
}

describe('with SQS', () => {
  let service: QueueService;
  let shop: Shop;
  let env: Record<string, string>;
  beforeAll(async () => {
    service = await startQueue({ maxReceives: 1 });
    const { queueUrl, endpoint = '' } = service.settings;
    env = { SQS_QUEUE_URL: queueUrl, SQS_ENDPOINT: endpoint, DATA_DIR: newDataDir() };
    shop = await startShop({ env });
  });
  afterAll(async () => {
    await shop.stop();
    await service.close();
  });

  it('an order is confirmed, and the queue is among the stores', async () => {
    await confirmedOrder(shop);
    const { body } = await shop.api.get('/readyz').expect(200);
    expect(body).toEqual({ status: 'ready', stores: { sql: 'up', users: 'up', events: 'up' } });
  });

  it('SQS down is a degraded shop that takes orders', async () => {
    service.faultOf = () => 'cut before';
    await eventually(async () => {
      const { body } = await shop.api.get('/readyz').expect(200);
      expect(body).toMatchObject({ status: 'degraded', stores: { events: 'down' } });
    });
    const customer = await shop.signUp();
    const product = await shop.makeProduct();
    await shop.place(customer, [{ productId: product.id, quantity: 1 }]).expect(201);
    service.faultOf = () => 'none';
    await confirmedOrder(shop);
  });

  it('a message that nobody can read is listed, and sent again by its id or with all', async () => {
    expect(await events(env, 'dead-letters', 'list')).toMatchObject({ code: 0, lines: ['no dead letters'] });
    const { queueUrl } = service.settings;
    for (const body of ['first\u009b2J', 'second']) await service.sqs.sendMessage({ QueueUrl: queueUrl, MessageBody: body });
    const dead = () => service.counts(service.deadLetterQueueUrl);
    await eventually(async () => expect(await dead()).toEqual({ waiting: 2, held: 0 }));

    const { lines } = await events(env, 'dead-letters', 'list');
    expect(lines.map((line) => line.slice(line.indexOf('"'))).sort()).toEqual(['"first\\u009b2J"', '"second"']);
    expect(await dead()).toEqual({ waiting: 2, held: 0 });

    const [, id = ''] = lines.find((line) => line.includes('second'))?.split('  ') ?? [];
    const one = await events(env, 'dead-letters', 'redrive', '--id', id, '--id', newId());
    expect(one).toMatchObject({
      code: 1,
      lines: [`sent again: queue  ${id}`],
      errors: expect.stringContaining('no dead letter'),
    });
    // nobody can read it this time either
    await eventually(async () => expect(await dead()).toEqual({ waiting: 2, held: 0 }));
    const all = await events(env, 'dead-letters', 'redrive');
    expect(all).toMatchObject({ code: 0, lines: { length: 2 } });
  }, 60_000);

  it('the command says how it is used', async () => {
    expect(await events(env, 'dead-letters', 'burn')).toMatchObject({ code: 1, errors: expect.stringContaining('usage') });
  });
});

describe('on embedded storage', () => {
  it('an event that was put aside is listed and delivered again beside the running server', async () => {
    const env = { DATA_DIR: newDataDir() };
    const shop = await startShop({ env });
    const orderId = await confirmedOrder(shop);
    const db = await openSqlite({ file: join(env.DATA_DIR, 'shop.sqlite') });
    await db.run(
      `UPDATE orders_outbox SET published_at = NULL, dead_at = '2026-01-02 03:04:05.678', attempts = 10, last_error = 'a fault'
       WHERE order_id = ? AND type = 'order.placed'`,
      [orderId],
    );
    const [event] = await db.rows<{ id: string }>('SELECT id FROM orders_outbox WHERE dead_at IS NOT NULL');
    const listed = `outbox  ${event?.id}  2026-01-02T03:04:05.678Z  "order.placed of order ${orderId}, 10 tries: a fault"`;
    expect(await events(env, 'dead-letters', 'list')).toMatchObject({ code: 0, lines: [listed] });
    expect(await events(env, 'dead-letters', 'redrive')).toMatchObject({ code: 0, lines: [`sent again: outbox  ${event?.id}`] });
    await eventually(async () =>
      expect(await db.rows('SELECT id FROM orders_outbox WHERE published_at IS NULL OR dead_at IS NOT NULL')).toEqual([]),
    );
    expect(await events(env, 'dead-letters', 'list')).toMatchObject({ lines: ['no dead letters'] });
    await db.close();
    await shop.stop();
  });
});

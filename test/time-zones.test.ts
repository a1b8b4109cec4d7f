import supertest from 'supertest';
import { openMysql, openSqlite } from '../src/shared/database.ts';
import { eventually } from './harness/eventually.ts';
import { type ServerProcess, startServer } from './harness/server-process.ts';
import { makeShopStores, type ShopStores } from './harness/stores.ts';

/** A process whose machine lives in another time zone, as far from UTC as there is one. */

const admin = { username: 'admin', password: 'the first admin of all' };
let stores: ShopStores;
beforeAll(async () => {
  stores = await makeShopStores();
});
afterAll(() => stores.remove());

async function startAt(timeZone: string): Promise<ServerProcess> {
  const env = { ...stores.variables, TZ: timeZone, ADMIN_USERNAME: admin.username, ADMIN_PASSWORD: admin.password };
  return startServer({ ...env, RATE_LIMIT_ENABLED: 'false', HOST: '127.0.0.1' });
}

/** An order that the shop has confirmed. */
async function order(url: string, sku: string) {
  const { body: tokens } = await supertest(url).post('/api/auth/login').send(admin).expect(200);
  const api = supertest.agent(url).set('Authorization', `Bearer ${tokens.accessToken}`);
  const product = { sku, name: 'Lamp', price: { amount: 1000, currency: 'GBP' }, initialStock: 5 };
  const { body: made } = await api.post('/api/products').send(product).expect(201);
  const { body: placed } = await api
    .post('/api/orders')
    .send({ items: [{ productId: made.id, quantity: 1 }] })
    .expect(201);
  const confirmed = await eventually(async () => {
    const { body } = await api.get(`/api/orders/${placed.id}`).expect(200);
    expect(body.status).toBe('confirmed');
    return body;
  });
  return { api, product: made, placed, confirmed };
}

const isNow = (time: string) => Math.abs(Date.parse(time) - Date.now()) < 60_000;

it.each(['Pacific/Kiritimati', 'Pacific/Niue'])('tells and keeps every time in UTC: %s', async (timeZone) => {
  const server = await startAt(timeZone);
  const { api, product, placed, confirmed } = await order(server.url, timeZone);
  expect([product.createdAt, placed.createdAt, confirmed.updatedAt].filter(isNow)).toHaveLength(3);
  const day = placed.createdAt.slice(0, 10);
  const { body: summary } = await api.get(`/api/orders/summary?from=${day}&to=${day}`).expect(200);
  expect(summary.data).toMatchObject([{ currency: 'GBP' }]);
  const { body: listed } = await api.get(`/api/orders?from=${placed.createdAt}`).expect(200);
  expect(listed.data.map(({ id }: { id: string }) => id)).toEqual([placed.id]);
  await server.kill('SIGTERM');

  const { MYSQL_URL, DATA_DIR } = stores.variables;
  const db =
    MYSQL_URL === undefined ? await openSqlite({ file: `${DATA_DIR}/shop.sqlite` }) : await openMysql({ url: MYSQL_URL });
  // written by the clock of the process, and by that of the database
  const [row] = await db.rows<{ placed: string; sold: string }>(
    `SELECT o.created_at AS placed, e.published_at AS sold FROM orders_orders o JOIN orders_outbox e ON e.order_id = o.id AND e.sequence = 1
     WHERE o.id = ?`,
    [placed.id],
  );
  await db.close();
  expect([row?.placed, row?.sold].map((time) => isNow(`${time?.replace(' ', 'T')}Z`))).toEqual([true, true]);
  expect(row?.placed).toBe(placed.createdAt.replace('T', ' ').replace('Z', ''));
});

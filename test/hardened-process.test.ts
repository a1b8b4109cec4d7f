import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { makeJwtKey, makePepper, makeRefreshKey } from '../src/modules/auth/index.ts';
import { eventually } from './harness/eventually.ts';
import { makeShopStores, type ShopStores } from './harness/stores.ts';

/** the second and third keep its heap small (docs/decisions/0040) */
const flags = ['--disable-proto=delete', '--max-semi-space-size=16', '--heap-growing-percent=100'];
const port = 20_000 + (process.pid % 20_000);
const url = `http://127.0.0.1:${port}`;

let stores: ShopStores;
let child: ChildProcess;
beforeAll(async () => {
  stores = await makeShopStores();
  const env = {
    ...{ PATH: process.env.PATH, PORT: String(port), BCRYPT_COST: '4', LOG_LEVEL: 'silent', ...stores.variables },
    ...{ JWT_PRIVATE_KEYS: makeJwtKey(), REFRESH_KEYS: makeRefreshKey(), PASSWORD_PEPPER: makePepper() },
    ...{ ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: 'the first admin of all' },
  };
  child = spawn(process.execPath, [...flags, 'src/server.ts'], { env, stdio: 'ignore' });
  await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), 50_000);
});
afterAll(async () => {
  child.kill('SIGTERM');
  await once(child, 'exit');
  await stores.remove();
});

const post = async (path: string, body: object, token?: string) => {
  const headers = { 'Content-Type': 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
};

describe('S-08 a process whose objects have no __proto__', () => {
  it('is what `npm start` and pm2 run', () => {
    const { start, dev } = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
    for (const command of [start, dev]) expect(command).toContain(` ${flags.join(' ')} $env_file`);
    expect(readFileSync('ecosystem.config.js', 'utf8')).toContain(`node_args: '${flags.join(' ')}'`);
  });

  it('signs up, sells and shows its pages', async () => {
    const { body: admin } = await post('/api/auth/login', { username: 'admin', password: 'the first admin of all' });
    const product = { sku: 'HARD-1', name: 'Hard', price: { amount: 1, currency: 'GBP' }, initialStock: 2 };
    const made = await post('/api/products', product, admin.accessToken);
    expect(made.status).toBe(201);
    const { body: buyer } = await post('/api/auth/register', { username: 'ada', password: 'a fine long password' });
    const order = await post('/api/orders', { items: [{ productId: made.body.id, quantity: 2 }] }, buyer.accessToken);
    expect(order.status).toBe(201);
    await eventually(async () => {
      const answer = await fetch(`${url}/api/orders/${order.body.id}`, {
        headers: { Authorization: `Bearer ${buyer.accessToken}` },
      });
      expect(await answer.json()).toMatchObject({ status: 'confirmed' });
    });
    for (const path of ['/docs', '/openapi.json', '/problems', '/api/products?q=hard'])
      expect((await fetch(`${url}${path}`)).status).toBe(200);
  });
});

import { createServer } from 'node:net';
import { attacksOn, unchanged } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { fetchDocument } from './harness/documented-answers.ts';
import type { Account, Shop } from './harness/shop.ts';

let deployment: Deployment;
/** every call that takes one JSON body, with an id where one is due; rows of an import are held to the same in product-import.test.ts */
let calls: readonly { readonly method: string; readonly path: string; readonly optional: boolean }[];
beforeAll(async () => {
  deployment = await startDeployment();
  const document = await fetchDocument(deployment.processes[0]?.url ?? '');
  calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => isJson(operation))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, id),
        optional: (operation as { requestBody?: { required?: boolean } }).requestBody?.required !== true,
      })),
  );
  expect(calls.length).toBeGreaterThan(12);
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
const isJson = (operation: object) =>
  'application/json' in ((operation as { requestBody?: { content: object } }).requestBody?.content ?? {});
const id = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';

/** An admin sends a body to every call that takes one; the answers that are not the wanted ones. */
async function toEveryCall(shop: Shop, body: string | Buffer, expected: number | { status: number; type: string }) {
  const { status: wanted, type } = typeof expected === 'number' ? { status: expected, type: 'application/json' } : expected;
  const { accessToken } = await shop.admin();
  const odd = [];
  for (const { method, path } of calls) {
    const headers = { 'Content-Type': type, Authorization: `Bearer ${accessToken}`, 'If-Match': '"1"' };
    const answer = await fetch(`${shop.url}${path}`, { method, headers, body });
    const text = await answer.text();
    if (answer.status !== wanted || !text.includes('"instance"')) odd.push({ method, path, status: answer.status, text });
    expect(text).not.toMatch(/canary|position \d|Unexpected|sequelize|node_modules|\bat .+:\d+:\d+/i);
  }
  expect(odd).toEqual([]);
}

const makeProduct = (shop: Shop, product: Readonly<Record<string, unknown>> = {}) => shop.makeProduct(product);
const newProduct = (account: Account, product: Readonly<Record<string, unknown>>) =>
  account.api.post('/api/products').send({ sku: 'ODD-1', name: 'Odd', price: { amount: 1, currency: 'GBP' }, ...product });

describe('a body that can not be read changes nothing, wherever it is sent', () => {
  attack('V-01', (shop) =>
    unchanged(shop, async () => {
      const { accessToken } = await shop.admin();
      for (const { method, path, optional } of calls.filter((call) => !call.optional)) {
        const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${accessToken}`, 'If-Match': '"1"' };
        const { status } = await fetch(`${shop.url}${path}`, { method, headers, body: '' });
        expect({ method, path, optional, status }).toEqual({ method, path, optional, status: 400 });
      }
    }),
  );
  attack('V-02', (shop) =>
    unchanged(shop, async () => {
      for (const body of ['{"canary":', 'nul', "'canary'", '{"canary":1,}', '{"a":1}{}']) await toEveryCall(shop, body, 400);
    }),
  );
  attack('V-03', (shop) =>
    unchanged(shop, async () => {
      for (const body of ['[]', '[{}]', '"x"', 'null', '1', 'true']) await toEveryCall(shop, body, 422);
    }),
  );
  attack('V-05', async (shop) => {
    for (const charset of ['iso-8859-1', 'utf-7', 'utf-16', 'UTF8'])
      await toEveryCall(shop, '{"canary":1}', { status: 415, type: `application/json; charset=${charset}` });
    await toEveryCall(shop, 'canary=1', { status: 415, type: 'application/x-www-form-urlencoded' });
    await toEveryCall(shop, '<canary/>', { status: 415, type: 'application/xml' });
  });
  attack('V-06', async (shop) => {
    for (const bytes of [[0xc3, 0x28], [0xff], [0xed, 0xa0, 0x80], [0xc0, 0xaf]])
      await toEveryCall(shop, Buffer.concat([Buffer.from('{"canary":"'), Buffer.from(bytes), Buffer.from('"}')]), 400);
  });
  attack('V-07', async (shop) => {
    await toEveryCall(shop, '{"quantity":1,"quantity":100}', 400);
    await toEveryCall(shop, '{"quantity":1,"quantit\\u0079":100}', 400);
  });
  attack('V-14', (shop) =>
    unchanged(shop, async () => {
      await toEveryCall(shop, '{"__proto__":{"role":"admin"}}', 400);
      await toEveryCall(shop, '{"constructor":{"prototype":{"role":"admin"}}}', 400);
      await toEveryCall(shop, '{"\\u005f_proto__":{"role":"admin"}}', 400);
      expect(({} as Record<string, unknown>).role).toBeUndefined();
    }),
  );
  attack('V-15', (shop) => unchanged(shop, () => toEveryCall(shop, '{"isAdmin":true,"debug":1}', 422)));
  attack('D-04', async (shop) => {
    await toEveryCall(shop, `${'['.repeat(5000)}${']'.repeat(5000)}`, 400);
    await toEveryCall(shop, `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 400);
  });
  attack('D-05', async (shop) => {
    const members = (count: number) => `{${Array.from({ length: count }, (_, index) => `"m${index}":1`).join()}}`;
    await toEveryCall(shop, `[${Array(100_000).fill(1).join()}]`, 422);
    await toEveryCall(shop, members(15_000), 422);
    await toEveryCall(shop, members(50_000), 413);
  });
});

describe('queries and ids', () => {
  const limits = ['1000000', '-1', '0', '1e3', '0x10', '1&limit=2', '%31%00', '', ' 1', '1.0'];
  const lists = ['/api/products', '/api/orders', '/api/auth/sessions', '/api/auth/users'];
  attack('D-08', async (shop) => {
    const { api } = await shop.admin();
    for (const path of lists) {
      for (const limit of limits) await api.get(`${path}?limit=${limit}`).expect(400);
      await api.get(`${path}?limit[]=1`).expect(400);
      expect((await api.get(`${path}?limit=100`).expect(200)).body.data.length).toBeLessThanOrEqual(100);
    }
  });
  attack('D-09', async (shop) => {
    await makeProduct(shop, { name: 'Hundred % cotton_shirt' });
    const searches = [
      '(a+)+$',
      '%'.repeat(1000),
      '_'.repeat(100),
      '"',
      '*',
      'a* -b +c ~d',
      'NEAR(a b)',
      'x'.repeat(4000),
      '(((((',
      "'",
    ];
    for (const search of searches) {
      const beganAt = performance.now();
      const { status, body } = await shop.api.get('/api/products').query({ q: search });
      expect([200, 400]).toContain(status);
      if (/^[%_]+$/.test(search) && status === 200) expect(body.data).toEqual([]);
      // a pattern that backtracks takes minutes, not the seconds of a busy machine
      expect(performance.now() - beganAt).toBeLessThan(5000);
    }
    expect((await shop.api.get(`/api/products?q=${'x'.repeat(10_000)}`)).status).toBe(400);
  });
  attack('V-10', async (shop) => {
    const { accessToken } = await shop.admin();
    const ids = [
      'abc',
      '0',
      '-1',
      '1.0',
      '1e3',
      '9999999999999999999',
      '%00',
      'a%00b',
      '..%2f..%2fetc',
      '%E0%A4%A',
      '1;drop',
      '%27%20OR%201',
    ];
    for (const wrong of [...ids, id.toUpperCase(), `${id}%20`, `{${id}}`])
      for (const path of ['products/', 'orders/', 'auth/users/']) {
        const { status } = await fetch(`${shop.url}/api/${path}${wrong}`, {
          headers: { Authorization: `Bearer ${accessToken}` },
        });
        expect({ path, wrong, status }).toEqual({ path, wrong, status: 400 });
      }
    const { api } = await shop.admin();
    for (const path of ['products', 'orders', 'auth/users']) await api.get(`/api/${path}/${id}`).expect(404);
  });
  attack('V-13', async (shop) => {
    const { api } = await shop.admin();
    const queries = [
      'sort=password',
      'sort=price;DROP',
      'sort=(select 1)',
      'sort=__proto__',
      'fields=passwordHash',
      'include=user',
      'include[]=stock',
    ];
    for (const path of lists) for (const query of queries) await api.get(`${path}?${encodeURI(query)}`).expect(400);
  });
});

describe('texts', () => {
  attack('V-09', async (shop) => {
    const staff = await shop.staff();
    const raw = (body: string) =>
      staff.api.post('/api/products').set('Content-Type', 'application/json').serialize(String).send(body);
    const named = (name: string) => `{"sku":"X","name":${name},"price":{"amount":1,"currency":"GBP"}}`;
    await raw(named('"a\\u0000b"')).expect(422);
    await raw(named('"a\\ud800"')).expect(400);
    for (const name of ['   ', '', 'x'.repeat(201), 'a\u0007b', 'a\u202eb', 'a\u200bb', '\ufeff'])
      await newProduct(staff, { name }).expect(422);
    await newProduct(staff, { description: 'x'.repeat(10_001) }).expect(422);
    for (const sku of ['\u202egnp', '\u200b', 'a\u2028b', ' ']) await newProduct(staff, { sku }).expect(422);
    const register = (username: string) =>
      shop.api.post('/api/auth/register').send({ username, password: 'a fine long password' });
    for (const name of ['ad\u202ea', 'a\u200bda', '   ', 'a\0da', 'x'.repeat(10_000)]) await register(name).expect(422);
    const unique = `Zoë.${Math.random().toString(36).slice(2)}`;
    await register(unique.normalize('NFC')).expect(201);
    for (const alike of [unique.normalize('NFD'), unique.toUpperCase(), unique.replace('Z', 'Ｚ')])
      await register(alike).expect(409);
  });
  attack('V-11', async (shop) => {
    const staff = await shop.staff();
    const customer = await shop.signUp();
    const words = [
      "' OR '1'='1",
      '"; DROP TABLE catalog_products; --',
      '\\',
      '1/**/UNION SELECT 1',
      '0x27',
      "' AND sleep(5) AND '1",
      '#{7*7}{{7*7}}',
    ];
    for (const [index, word] of words.entries()) {
      const sku = `${word} ${Math.random().toString(36).slice(2)}`;
      const texts = { sku, name: word, description: word, category: word, attributes: { [word]: word } };
      const beganAt = performance.now();
      const { body } = await newProduct(staff, { ...texts, initialStock: 9 }).expect(201);
      expect(body).toMatchObject(texts);
      for (const query of [{ sku }, { category: word }, { q: word }])
        await shop.api.get('/api/products').query(query).expect(200);
      expect((await shop.api.get('/api/products').query({ sku }).expect(200)).body.data).toHaveLength(1);
      await staff.api.post(`/api/products/${body.id}/stock/adjustments`).send({ delta: 1, reason: word }).expect(201);
      const key = `${word.replaceAll(/["\\ ]/g, '_')}${index}`;
      const placed = await shop.place(customer, [{ productId: body.id, quantity: 1 }], { 'Idempotency-Key': key }).expect(201);
      expect(placed.body.items).toMatchObject([{ name: word, sku }]);
      await shop.api
        .post('/api/auth/login')
        .send({ username: word, password: word })
        .expect(/^[\p{L}\p{N}._@+-]{3,64}$/u.test(word) ? 401 : 422);
      await shop.api.post('/api/auth/login').send({ username: customer.username, password: word }).expect(401);
      await shop.api.post('/api/auth/refresh').send({ refreshToken: word }).expect(401);
      // each text would wait for five seconds if it were run; there are a dozen requests
      expect(performance.now() - beganAt).toBeLessThan(30_000);
    }
  });
  attack('V-17', async (shop) => {
    const name = '<script>alert(1)</script><img src=x onerror=alert(1)>';
    const { id: made } = await makeProduct(shop, { name, description: '=cmd()', category: '@SUM(1)' });
    const { body, headers } = await shop.api.get(`/api/products/${made}`).expect(200);
    expect(body).toMatchObject({ name, description: '=cmd()' });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-content-type-options': 'nosniff' });
    const lost = await fetch(`${shop.url}/${encodeURI(name)}?q=${encodeURI(name)}`);
    expect({ type: lost.headers.get('content-type'), echoes: (await lost.text()).includes('alert') }).toEqual({
      type: 'application/problem+json',
      echoes: false,
    });
    for (const page of ['/docs', '/problems', `/problems/${encodeURIComponent(name)}`])
      expect(await (await fetch(`${shop.url}${page}`)).text()).not.toContain('alert(1)');
  });
  attack('V-18', async (shop) => {
    const staff = await shop.staff();
    for (const amount of [-1, 0.001, 99_999_999_999_999, '12,50', '1', null, true, [1], '1e400'])
      await newProduct(staff, { price: { amount, currency: 'GBP' } }).expect(422);
    for (const currency of ['XXX', 'XTS', 'ZZZ', 'gbp', '', 'GBPX', 1, null])
      await newProduct(staff, { price: { amount: 1, currency } }).expect(422);
  });
  attack('V-19', async (shop) => {
    let calledBack = 0;
    const bait = createServer((socket) => {
      calledBack += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => bait.listen(0, '127.0.0.1', resolve));
    const address = bait.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `http://127.0.0.1:${port}/canary`;
    const { id: made } = await makeProduct(shop, { description: url, attributes: { image: url, file: 'file:///etc/passwd' } });
    const customer = await shop.signUp();
    const order = await shop.place(customer, [{ productId: made, quantity: 1 }], { Referer: url, Origin: url }).expect(201);
    await shop.api
      .get('/api/products')
      .set({ Forwarded: `host=127.0.0.1:${port}`, 'X-Forwarded-Host': `127.0.0.1:${port}` })
      .expect(200);
    expect((await shop.api.get(`/api/products/${made}`).expect(200)).text).not.toContain('root:');
    expect(order.headers.location).toBe(`/api/orders/${order.body.id}`);
    bait.close();
    expect(calledBack).toBe(0);
  });
  attack('V-21', async (shop) => {
    const product = await makeProduct(shop);
    const other = deployment.other(shop);
    const { body } = await shop.api.get(`/api/products/${product.id}`).expect(200);
    const client = deployment.redis?.client;
    for (const garbage of ['garbage', '{"price":{"amount":0}}', '7:{"id":"x"}', '']) {
      for (const key of (await client?.keys(`*${product.id}`)) ?? []) await client?.set(key, garbage);
      expect((await other.api.get(`/api/products/${product.id}`).expect(200)).body).toEqual(body);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});

import { attacksOn } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { rawRequest } from './harness/raw-request.ts';
import type { Shop } from './harness/shop.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
const portOf = ({ url }: Shop) => Number(new URL(url).port);
const id = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';

/** Sends a head, and what follows it, as they are. */
const raw = (shop: Shop, lines: readonly string[], rest: string | Buffer = '') =>
  rawRequest(portOf(shop), Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(rest)]));
const get = 'GET /api/products HTTP/1.1';
const post = 'POST /api/auth/login HTTP/1.1';
const host = 'Host: x';
const json = 'Content-Type: application/json';
const smuggled = 'GET /livez HTTP/1.1\r\nHost: smuggled\r\n\r\n';

const refusedAndClosed = async (
  shop: Shop,
  request: Promise<{ status: number; text: string; closed: boolean }>,
  status = 400,
) => {
  const answer = await request;
  expect({ status: answer.status, closed: answer.closed }).toEqual({ status, closed: true });
  expect(answer.text).toContain('application/problem+json');
  expect(answer.text).toMatch(/X-Request-Id: /i);
  expect(answer.text).not.toMatch(/"live"|node_modules|HPE_|express/i);
  await shop.api.get('/livez').expect(200);
};

describe('what two readers could read in two ways', () => {
  attack('H-01', (shop) =>
    refusedAndClosed(
      shop,
      raw(shop, [post, host, json, 'Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
    ),
  );
  attack('H-02', async (shop) => {
    for (const coding of ['Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked, identity', 'Transfer-Encoding : chunked'])
      await refusedAndClosed(shop, raw(shop, [post, host, json, coding], `0\r\n\r\n${smuggled}`));
  });
  attack('H-03', (shop) =>
    refusedAndClosed(shop, raw(shop, [post, host, json, 'Content-Length: 2', 'Content-Length: 40'], `{}${smuggled}`)),
  );
  attack('H-04', async (shop) => {
    const heads = [
      `GET /api/products HTTP/1.1\nHost: x\n\n${smuggled}`,
      `${get}\r\n${host}\r\nX-Folded: a\r\n b\r\n\r\n`,
      `${get}\r\n${host}\r\nX-Nul: a\0b\r\n\r\n`,
      `${get}\r\nHost : x\r\n\r\n`,
    ];
    for (const head of heads) await refusedAndClosed(shop, rawRequest(portOf(shop), head));
  });
  attack('H-05', async (shop) => {
    const { status, text } = await raw(shop, [get, 'Connection: close']);
    expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining('/problems/malformed') });
  });
  attack('H-06', async (shop) => {
    const { status, text } = await raw(shop, [get, 'Host: a', 'Host: b', 'Connection: close']);
    expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining('/problems/malformed') });
  });
});

describe('methods and paths', () => {
  attack('H-08', async (shop) => {
    const cases = [
      ['TRACE /api/products HTTP/1.1', 'GET, HEAD, POST, OPTIONS'],
      ['DELETE /api/auth/login HTTP/1.1', 'POST, OPTIONS'],
      ['PUT /api/orders HTTP/1.1', 'GET, HEAD, POST, OPTIONS'],
      ['PROPFIND /api/orders HTTP/1.1', 'GET, HEAD, POST, OPTIONS'],
    ] as const;
    for (const [line, allowed] of cases) {
      const { status, text } = await raw(shop, [line, host, 'Connection: close']);
      expect({ line, status }).toEqual({ line, status: 405 });
      expect(/^Allow: (.+)$/im.exec(text)?.[1]?.split(', ').toSorted()).toEqual(allowed.split(', ').toSorted());
    }
  });
  attack('H-09', async (shop) => {
    const before = shop.log.length;
    const { text, closed } = await raw(shop, ['CONNECT a:80 HTTP/1.1', 'Host: a:80']);
    expect({ text, closed }).toEqual({ text: '', closed: true });
    expect(shop.log.slice(before).filter((line) => line.includes('"msg":"request"'))).toEqual([]);
  });
  attack('H-14', async (shop) => {
    const bodies = new Set<string>();
    for (const path of [
      '/nowhere',
      '/api/products/',
      '//api/products',
      '/api/Products',
      '/api/products;x',
      `/api/products%2f${id}`,
    ]) {
      const { body } = await shop.api.get(path).expect(404);
      bodies.add(JSON.stringify({ ...body, instance: '' }));
    }
    expect(bodies.size).toBe(1);
  });
  attack('D-10', async (shop) => {
    const admin = await shop.admin();
    const evil = `${'a'.repeat(30)}!`;
    for (const path of [
      `products/${evil}`,
      `products/${evil}/stock`,
      `orders/${evil}`,
      `orders/${evil}/events`,
      `auth/users/${evil}`,
    ]) {
      const beganAt = performance.now();
      // not through a checking client: to its own patterns this is no documented path
      const { status } = await fetch(`${shop.url}/api/${path}`, { headers: { Authorization: `Bearer ${admin.accessToken}` } });
      expect({ path, status }).toEqual({ path, status: 400 });
      // a pattern that backtracks takes minutes, not the seconds of a busy machine
      expect(performance.now() - beganAt).toBeLessThan(5000);
    }
  });
});

describe('limits of one request', () => {
  attack('H-10', async (shop) => {
    const long = 'x'.repeat(20_000);
    for (const lines of [
      [get, host, `X-Long: ${long}`],
      [`GET /${long} HTTP/1.1`, host],
    ]) {
      const { status, closed } = await raw(shop, lines);
      expect({ status, closed }).toEqual({ status: 431, closed: true });
    }
  });
  attack('H-11', async (shop) => {
    const many = Array.from({ length: 90 }, (_, index) => `X-Filler-${index}: 1`);
    expect((await raw(shop, [get, ...many, host, 'Connection: close'])).status).toBe(200);
    // older versions of Node dropped the rest in silence, which may be one that protects
    const tooMany = Array.from({ length: 120 }, (_, index) => `X-Filler-${index}: 1`);
    expect((await raw(shop, [get, ...tooMany, host, 'Connection: close'])).status).toBe(431);
  });
  attack('H-12', async (shop) => {
    expect((await raw(shop, [get, host, 'Expect: weird', 'Connection: close'])).status).toBe(417);
  });
  attack('D-01', async (shop) => {
    const beganAt = performance.now();
    const { status, text, closed } = await raw(shop, [post, host, json, 'Content-Length: 99999999']);
    expect({ status, closed }).toEqual({ status: 413, closed: true });
    expect(text).toMatch(/^Connection: close$/im);
    // far from the 15 s that a body may take
    expect(performance.now() - beganAt).toBeLessThan(8000);
  });
  attack('D-02', async (shop) => {
    const login = { username: 'nobody.at.all', password: 'a fine long password' };
    const text = JSON.stringify(login);
    const send = (body: string) =>
      shop.api.post('/api/auth/login').set('Content-Type', 'application/json').serialize(String).send(body);
    await send(text.padEnd(256 * 1024)).expect(401);
    expect((await send(text.padEnd(256 * 1024 + 1)).expect(413)).body.type).toBe('/problems/too-large');
  });
  attack('D-06', async (shop) => {
    const dribbled = [
      [`${get}\r\n${host}\r\nX-Slow: a`, 'headers'],
      [`${post}\r\n${host}\r\n${json}\r\nContent-Length: 50\r\n\r\n{"user`, 'a body'],
    ].map(([text = '']) => rawRequest(portOf(shop), text, 25_000));
    await shop.api.get('/api/products').expect(200);
    for (const { status, closed } of await Promise.all(dribbled))
      expect({ status, closed }).toEqual({ status: 408, closed: true });
  });
});

describe('headers', () => {
  attack('H-13', async (shop) => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString'])
      expect((await raw(shop, [get, host, `${name}: 1`, 'Connection: close'])).status).toBe(200);
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });
  attack('H-16', async (shop) => {
    const customer = await shop.signUp();
    const answers = [
      await shop.api.get('/api/products').expect(200),
      await shop.api.get('/nowhere').expect(404),
      await shop.api.get('/api/orders').expect(401),
      await customer.api.get('/api/auth/me').expect(200),
      await shop.api.post('/api/auth/login').send({}).expect(422),
    ];
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      });
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('set-cookie');
    }
    for (const { headers } of answers.slice(1)) expect(headers['cache-control']).toBe('private, no-store');
  });
  attack('H-17', async (shop) => {
    for (const origin of ['https://evil.example', 'null', 'https://good.example.evil.com']) {
      const simple = await shop.api.get('/api/products').set('Origin', origin).set('Cookie', 'a=b').expect(200);
      const preflight = await shop.api
        .options('/api/orders')
        .set('Origin', origin)
        .set('Access-Control-Request-Method', 'POST')
        .expect(204);
      for (const { headers } of [simple, preflight])
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
  attack('H-20', async (shop) => {
    for (const sent of ['x'.repeat(10_000), '{"a":1}', 'short', 'with spaces in it', 'a'.repeat(65), '0815%0d%0a0815']) {
      const { headers } = await shop.api.get('/livez').set('X-Request-Id', sent).expect(200);
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    const { headers } = await shop.api.get('/livez').set('X-Request-Id', 'order-Desk-0815').expect(200);
    expect(headers['x-request-id']).toBe('order-Desk-0815');
  });
});

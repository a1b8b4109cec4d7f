import type { Fault, ProxiedRequest } from './harness/faulty-proxy.ts';
import { everyOther, placedOrders, refusal, replayRows, stockOf } from './harness/replay-runs.ts';
import { manyRows, sampleAmounts, sampleRows } from './harness/retail-sample.ts';
import { type Shop, startShop } from './harness/shop.ts';

let shop: Shop;

describe('replaying a file of orders', () => {
  beforeEach(async () => {
    shop = await startShop();
  });
  afterEach(() => shop.stop());

  it('sells every piece and agrees with the file to the penny', async () => {
    const { exitCode, text } = await replayRows(shop, sampleRows);
    expect(text).toMatch(/^orders +3\n/m);
    expect(text).toMatch(/^order lines +6\n/m);
    expect(text).toMatch(/^pieces +70,015\n/m);
    expect(text).toMatch(/^total +20,346\.13 GBP\n/m);
    expect(text).toMatch(/^retries +0\n/m);
    expect(text).toContain('The shop agrees with the file');
    expect(exitCode).toBe(0);
    expect(await placedOrders(shop)).toEqual({
      count: 3,
      pieces: sampleAmounts.pieces,
      total: { amount: sampleAmounts.total, currency: 'GBP' },
    });
    expect(await stockOf(shop)).toEqual({
      '71053@0.29': [0, 0],
      '85123A@2.50': [0, 0],
      '85123A@2.55': [0, 0],
      '85123a@2.55': [0, 0],
      'BANK CHARGES@15.00': [0, 0],
    });
  });

  it('asks for every order under a key of its own and at the price of the file', async () => {
    const asked: unknown[] = [];
    const listens = ({ method, path, body, headers }: ProxiedRequest): Fault => {
      if (method === 'POST' && path === '/api/orders') asked.push([headers['idempotency-key'], JSON.parse(body).expectedTotal]);
      return 'none';
    };
    await replayRows(shop, sampleRows, { faults: listens, concurrency: 1 });
    expect(asked).toEqual([
      [expect.stringMatching(/^replay-[0-9a-f]{16}-1001$/), { amount: 2608, currency: 'GBP' }],
      [expect.stringMatching(/^replay-[0-9a-f]{16}-1004$/), { amount: 505, currency: 'GBP' }],
      [expect.stringMatching(/^replay-[0-9a-f]{16}-1006$/), { amount: 2_031_500, currency: 'GBP' }],
    ]);
  });

  it('spreads the orders over four customers', async () => {
    await replayRows(shop, manyRows(8));
    const { body } = await (await shop.staff()).api.get('/api/orders?limit=100').expect(200);
    const customers = body.data.map((order: { userId: string }) => order.userId);
    expect(customers).toHaveLength(8);
    expect(new Set(customers).size).toBe(4);
  });

  it('again changes nothing and agrees again', async () => {
    await replayRows(shop, sampleRows);
    const { exitCode, text } = await replayRows(shop, sampleRows);
    expect(text).toMatch(/^orders +3 \(3 had been placed by an earlier request\)\n/m);
    expect(exitCode).toBe(0);
    expect(await placedOrders(shop)).toMatchObject({ count: 3 });
  });

  it('goes on where an interrupted run ended', async () => {
    const rows = manyRows(30);
    const dies = (after: number) => {
      let orders = 0;
      return ({ method, path }: ProxiedRequest): Fault => {
        if (method === 'POST' && path === '/api/orders') orders++;
        return orders > after ? 'cut after' : 'none';
      };
    };
    await expect(replayRows(shop, rows, { faults: dies(10), outageMs: 200 })).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/gave up/),
    });
    const { exitCode } = await replayRows(shop, rows);
    expect(exitCode).toBe(0);
    expect(await placedOrders(shop)).toMatchObject({ count: 30, pieces: 30 });
  });

  it('goes on after an interruption between the products', async () => {
    let products = 0;
    const dies = ({ method, path }: ProxiedRequest): Fault => {
      if (method === 'POST' && path === '/api/products') products++;
      return products > 2 ? 'cut after' : 'none';
    };
    await expect(replayRows(shop, sampleRows, { faults: dies, outageMs: 200 })).rejects.toMatchObject({ exitCode: 4 });
    expect((await replayRows(shop, sampleRows)).exitCode).toBe(0);
  });

  it('survives lost requests, lost answers, 503, 429 and requests still running', async () => {
    const faults: Fault[] = [
      'cut before',
      'cut after',
      refusal(503, 'unavailable', { 'Retry-After': '0' }),
      refusal(429, 'throttled', { 'Retry-After': '0' }),
      refusal(409, 'idempotency-in-flight', { 'Retry-After': '0' }),
    ];
    const fails = everyOther((number) => faults[number % faults.length] ?? 'none');
    const { exitCode, text } = await replayRows(shop, manyRows(40), { faults: fails });
    expect(exitCode).toBe(0);
    expect(Number(/^retries +(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(40);
    expect(await placedOrders(shop)).toMatchObject({ count: 40, pieces: 40 });
  });

  it('finds the products whose creation was not answered', async () => {
    const begun = new Set<string>();
    const cuts = ({ method, path, body }: ProxiedRequest): Fault => {
      if (method !== 'POST' || path !== '/api/products' || begun.has(body)) return 'none';
      begun.add(body);
      return 'cut after';
    };
    expect((await replayRows(shop, sampleRows, { faults: cuts })).exitCode).toBe(0);
  });

  it('waits as long as a throttling shop asks for', async () => {
    const asked: number[] = [];
    const throttles = ({ method, path }: ProxiedRequest): Fault => {
      if (method !== 'POST' || path !== '/api/orders') return 'none';
      return asked.push(Date.now()) === 1 ? refusal(429, 'throttled', { 'Retry-After': '1' }) : 'none';
    };
    const { exitCode } = await replayRows(shop, manyRows(1), { faults: throttles });
    const [first = 0, second = 0] = asked;
    expect(second - first).toBeGreaterThanOrEqual(990);
    expect(exitCode).toBe(0);
  });

  it('gives up on a shop that wants it to wait for too long', async () => {
    const throttles = ({ path }: ProxiedRequest): Fault =>
      path === '/api/auth/register' ? refusal(429, 'throttled', { 'Retry-After': '3600' }) : 'none';
    await expect(replayRows(shop, sampleRows, { faults: throttles })).rejects.toMatchObject({ exitCode: 4 });
  });

  it('renews an access token that the shop no longer takes, and signs in when that is not possible either', async () => {
    const renewals: string[] = [];
    let orders = 0;
    const ends = ({ method, path }: ProxiedRequest): Fault => {
      if (path === '/api/auth/refresh' || (path === '/api/auth/login' && orders > 0)) renewals.push(path);
      if (path === '/api/auth/refresh' && renewals.length > 1) return refusal(401, 'invalid-refresh-token');
      if (method !== 'POST' || path !== '/api/orders') return 'none';
      orders++;
      return orders === 3 || orders === 10 ? refusal(401, 'unauthenticated') : 'none';
    };
    const { exitCode } = await replayRows(shop, manyRows(12), { faults: ends, concurrency: 1 });
    expect(exitCode).toBe(0);
    expect(renewals).toEqual(['/api/auth/refresh', '/api/auth/refresh', '/api/auth/login']);
  });

  it('counts only its own orders', async () => {
    const { id } = await shop.makeProduct({ sku: 'P0@1.99', attributes: {} });
    const buyer = await shop.signUp();
    await shop.place(buyer, [{ productId: id, quantity: 2 }]).expect(201);
    const staff = await shop.staff();
    await staff.api.delete(`/api/products/${id}`).set('If-Match', '"1"').expect(204);
    expect((await replayRows(shop, manyRows(5))).exitCode).toBe(0);
    expect(await placedOrders(shop)).toMatchObject({ count: 6 });
  });
});

describe('on a terminal a replay', () => {
  it('shows how far it is in one line, which it takes away again', async () => {
    shop = await startShop();
    const { text } = await replayRows(shop, manyRows(20), { isTTY: true });
    await shop.stop();
    expect(text).toMatch(/\rproducts \[\.{30}\] 0\/3 0 %/);
    expect(text).toMatch(/\rorders \[\.{30}\] 0\/20 0 %/);
    const end = text.lastIndexOf('\r\u001b[K') + '\r\u001b[K'.length;
    const [progress, result] = [text.slice(0, end), text.slice(end)];
    expect(progress).not.toContain('\n');
    expect(result).toMatch(/^orders +20\n/);
  });
});

import { replay } from '../src/commands/replay-run.ts';
import { temporaryFolder } from './child-process.ts';
import type { Fault, ProxiedRequest } from './harness/faulty-proxy.ts';
import { everyOrder, oneOrder, refusal, replayRows, stockOf } from './harness/replay-runs.ts';
import { manyRows, retailFileOf, sampleRows } from './harness/retail-sample.ts';
import { type Shop, startShop } from './harness/shop.ts';

let shop: Shop;

describe('a replay does not begin', () => {
  beforeAll(async () => {
    shop = await startShop();
  });
  afterAll(() => shop.stop());

  it('with the wrong password', async () => {
    await expect(replayRows(shop, sampleRows, { password: 'the wrong password' })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/does not let admin sign in/),
    });
  });

  it('without a file', async () => {
    const folder = temporaryFolder();
    const output = { write: () => true };
    const options = { url: new URL(shop.url), concurrency: 2, admin: { username: 'admin', password: 'x' }, output };
    await expect(replay({ ...options, path: '/nowhere.csv.gz' })).rejects.toMatchObject({ exitCode: 2 });
    await expect(replay({ ...options, path: retailFileOf(folder.path, []) })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/no order/),
    });
    folder.remove();
  });

  it('where something other than a shop answers', async () => {
    const other = () => ({ status: 200, body: { hello: 'world' } });
    await expect(replayRows(shop, sampleRows, { faults: other })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/not what a shop says/),
    });
  });

  it('in a shop that is not empty, and leaves it alone', async () => {
    const { id } = await shop.makeProduct({ sku: '71053@0.29' });
    const before = await stockOf(shop);
    await expect(replayRows(shop, sampleRows)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/not empty.*71053@0\.29/),
    });
    expect(await stockOf(shop)).toEqual(before);
    await (await shop.staff()).api.delete(`/api/products/${id}`).set('If-Match', '"1"').expect(204);
  });
});

describe('a replay tells where the shop and the file differ', () => {
  beforeEach(async () => {
    shop = await startShop();
  });
  afterEach(() => shop.stop());

  it('after an order that the shop refused', async () => {
    const refuses = oneOrder(() => refusal(409, 'out-of-stock'));
    const { exitCode, text } = await replayRows(shop, manyRows(6), { faults: refuses });
    expect(exitCode).toBe(1);
    expect(text).toMatch(/not placed: invoice 2000: 409/);
    expect(text).toMatch(/the summary: orders 5, in the file 6/);
    expect(text).toMatch(/the summary: total 9\.95 GBP, in the file 11\.94 GBP/);
    expect(text).toMatch(/product P0@1\.99: 1 on hand, 0 reserved/);
  });

  it('after an order that was answered and is lost', async () => {
    const id = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';
    const total = { amount: 199, currency: 'GBP' };
    const lost = { id, status: 'placed', items: [{ quantity: 1 }], total, createdAt: new Date().toISOString() };
    const { exitCode, text } = await replayRows(shop, manyRows(6), { faults: oneOrder(() => ({ status: 201, body: lost })) });
    expect(exitCode).toBe(1);
    expect(text).toContain(`order ${id} was answered and is not in the list of orders`);
    expect(text).toMatch(/the list of orders: orders 5, in the file 6/);
  });

  it('after somebody else has changed the stock or cancelled an order', async () => {
    await replayRows(shop, manyRows(6));
    const { api } = await shop.staff();
    const { body: orders } = await api.get('/api/orders?limit=1').expect(200);
    await api.post(`/api/orders/${orders.data[0].id}/cancel`).expect(200);
    const { exitCode, text } = await replayRows(shop, manyRows(6));
    expect(exitCode).toBe(1);
    expect(text).toMatch(/is cancelled, not confirmed/);
    expect(text).toMatch(/1 on hand, 0 reserved, both have to be 0/);
  });

  it('when the orders are not confirmed in time', async () => {
    const { exitCode, text } = await replayRows(shop, manyRows(2), { faults: unconfirmed(1000), settleMs: 300 });
    expect(exitCode).toBe(1);
    expect(text).toMatch(/is placed, not confirmed/);
  });

  it('and waits for the confirmations before', async () => {
    const { exitCode } = await replayRows(shop, manyRows(2), { faults: unconfirmed(6) });
    expect(exitCode).toBe(0);
  });

  it('and keeps the list of them short', async () => {
    const { exitCode, text } = await replayRows(shop, manyRows(60), { faults: everyOrder(() => refusal(422, 'validation')) });
    expect(exitCode).toBe(1);
    expect(text.split('\n').length).toBeLessThan(35);
    expect(text).toMatch(/ {2}and \d+ more\n/);
  });
});

/** Once orders were placed, a list of orders shows one that is not confirmed, this many times. */
function unconfirmed(times: number): (request: ProxiedRequest) => Fault {
  const total = { amount: 199, currency: 'GBP' };
  const waiting = {
    id: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f',
    status: 'placed',
    items: [{ quantity: 1 }],
    total,
    createdAt: new Date().toISOString(),
  };
  let placed = false;
  let lists = 0;
  return ({ method, path }) => {
    if (path !== '/api/orders') return 'none';
    placed ||= method === 'POST';
    if (method !== 'GET' || !placed) return 'none';
    lists++;
    return lists <= times ? { status: 200, body: { data: [waiting], nextCursor: null } } : 'none';
  };
}

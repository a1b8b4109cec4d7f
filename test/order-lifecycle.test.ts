import type { Response } from 'supertest';
import { eventually } from './harness/eventually.ts';
import { type Account, type Shop, startShop } from './harness/shop.ts';

let shop: Shop;
let customer: Account;
let staff: Account;

beforeAll(async () => {
  shop = await startShop();
  customer = await shop.signUp();
  staff = await shop.staff();
});

afterAll(() => shop.stop());

const stockOf = async (productId: string) => (await shop.api.get(`/api/products/${productId}/stock`).expect(200)).body;

async function confirmedOrder(buyer = customer, quantity = 2) {
  const product = await shop.makeProduct({ initialStock: 10 });
  const { body } = await shop.place(buyer, [{ productId: product.id, quantity }]).expect(201);
  await eventually(async () => expect((await buyer.api.get(`/api/orders/${body.id}`).expect(200)).body.status).toBe('confirmed'));
  return { id: body.id as string, productId: product.id };
}

describe('the life of an order', () => {
  it('goes from placed over confirmed and shipped to delivered', async () => {
    const { id } = await confirmedOrder();
    const shipped = await staff.api
      .post(`/api/orders/${id}/ship`)
      .send({ carrier: 'Royal Mail', trackingNumber: 'RM 1' })
      .expect(200);
    expect(shipped.body).toMatchObject({ status: 'shipped', version: 3 });
    expect(shipped.headers.etag).toBe('"3"');
    expect((await staff.api.post(`/api/orders/${id}/deliver`).expect(200)).body.status).toBe('delivered');
    const { body } = await customer.api.get(`/api/orders/${id}/events`).expect(200);
    expect(body.data.map(({ sequence, status, by }: Record<string, unknown>) => [sequence, status, by])).toEqual([
      [1, 'placed', 'customer'],
      [2, 'confirmed', 'system'],
      [3, 'shipped', 'staff'],
      [4, 'delivered', 'staff'],
    ]);
    expect(body.data[2]).toMatchObject({ carrier: 'Royal Mail', trackingNumber: 'RM 1' });
  });

  it('ships without a body, and not before the order is confirmed or twice', async () => {
    const { id } = await confirmedOrder();
    await staff.api.post(`/api/orders/${id}/deliver`).expect(409);
    await staff.api.post(`/api/orders/${id}/ship`).expect(200);
    const { body } = await staff.api.post(`/api/orders/${id}/ship`).expect(409);
    expect(body).toMatchObject({ type: '/problems/illegal-transition', from: 'shipped', to: 'shipped', allowed: ['delivered'] });
  });

  it('ends with a cancel, which gives the pieces back and may be repeated', async () => {
    const { id, productId } = await confirmedOrder();
    expect(await stockOf(productId)).toMatchObject({ onHand: 8, reserved: 0 });
    const { body } = await customer.api.post(`/api/orders/${id}/cancel`).expect(200);
    expect(body.status).toBe('cancelled');
    expect((await customer.api.post(`/api/orders/${id}/cancel`).expect(200)).body).toEqual(body);
    await eventually(async () => expect(await stockOf(productId)).toMatchObject({ onHand: 10, reserved: 0 }));
    const ledger = await staff.api.get(`/api/products/${productId}/stock/movements`).expect(200);
    expect(ledger.body.data.map(({ delta }: { delta: number }) => delta).sort()).toEqual([-2, 10, 2]);
    await staff.api.post(`/api/orders/${id}/ship`).expect(409);
  });

  it('can be cancelled at once, while it is still being confirmed', async () => {
    const product = await shop.makeProduct({ initialStock: 30 });
    const orders = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const { body } = await shop.place(customer, [{ productId: product.id, quantity: 1 }]).expect(201);
        return (await customer.api.post(`/api/orders/${body.id}/cancel`).expect(200)).body;
      }),
    );
    expect(new Set(orders.map(({ status }) => status))).toEqual(new Set(['cancelled']));
    await eventually(async () => expect(await stockOf(product.id)).toMatchObject({ onHand: 30, reserved: 0 }));
  });

  it('has one winner when a cancel meets a ship', async () => {
    const orders = await Promise.all(Array.from({ length: 12 }, () => confirmedOrder(customer, 1)));
    for (const { id, productId } of orders) {
      const [cancel, ship] = await Promise.all([
        customer.api.post(`/api/orders/${id}/cancel`),
        staff.api.post(`/api/orders/${id}/ship`),
      ]);
      expect([cancel.status, ship.status].sort()).toEqual([200, 409]);
      const onHand = cancel.status === 200 ? 10 : 9;
      await eventually(async () => expect(await stockOf(productId)).toMatchObject({ onHand, reserved: 0 }));
    }
  });
});

describe('who may see and do what', () => {
  it('hides the orders of others, as if they did not exist', async () => {
    const { id } = await confirmedOrder();
    const stranger = await shop.signUp();
    const unknown = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';
    for (const path of ['', '/events']) {
      const foreign = await stranger.api.get(`/api/orders/${id}${path}`).expect(404);
      const missing = await stranger.api.get(`/api/orders/${unknown}${path}`).expect(404);
      expect({ ...foreign.body, instance: '' }).toEqual({ ...missing.body, instance: '' });
    }
    await stranger.api.post(`/api/orders/${id}/cancel`).expect(404);
    await staff.api.get(`/api/orders/${id}`).expect(200);
    expect((await stranger.api.get('/api/orders').expect(200)).body).toEqual({ data: [], nextCursor: null });
    await stranger.api.get(`/api/orders?userId=${customer.id}`).expect(400);
  });

  it('lets staff ship and sum up, and nobody else', async () => {
    const { id } = await confirmedOrder();
    await customer.api.post(`/api/orders/${id}/ship`).expect(403);
    await customer.api.post(`/api/orders/${id}/deliver`).expect(403);
    await customer.api.get('/api/orders/summary').expect(403);
    await shop.api.get(`/api/orders/${id}`).expect(401);
    await shop.api.post('/api/orders').send({ items: [] }).expect(401);
  });

  it('answers 304 for an order that did not change', async () => {
    const { id } = await confirmedOrder();
    const { headers } = await customer.api.get(`/api/orders/${id}`).expect(200);
    await customer.api
      .get(`/api/orders/${id}`)
      .set('If-None-Match', headers.etag ?? '')
      .expect(304);
    await customer.api.get(`/api/orders/${id}`).set('If-None-Match', '"1"').expect(200);
  });

  it('has no live stream yet', async () => {
    const { id } = await confirmedOrder();
    await customer.api.get(`/api/orders/${id}/events`).set('Accept', 'text/event-stream').expect(406);
  });
});

describe('the list of orders', () => {
  it('is paged, newest first, and can be filtered', async () => {
    const buyer = await shop.signUp();
    const product = await shop.makeProduct();
    const ids: string[] = [];
    for (let index = 0; index < 7; index++)
      ids.unshift((await shop.place(buyer, [{ productId: product.id, quantity: 1 }]).expect(201)).body.id);
    await eventually(async () =>
      expect((await buyer.api.get('/api/orders?status=confirmed').expect(200)).body.data).toHaveLength(7),
    );
    await buyer.api.post(`/api/orders/${ids[3]}/cancel`).expect(200);
    const seen: string[] = [];
    let next: string | undefined = '/api/orders?limit=3';
    while (next !== undefined) {
      const { body, headers }: Response = await buyer.api.get(next).expect(200);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      next = /<([^>]+)>; rel="next"/.exec(headers.link ?? '')?.[1];
      expect(next === undefined).toBe(body.nextCursor === null);
    }
    expect(seen).toEqual(ids);
    const cancelled = await staff.api.get(`/api/orders?userId=${buyer.id}&status=cancelled`).expect(200);
    expect(cancelled.body.data.map(({ id }: { id: string }) => id)).toEqual([ids[3]]);
    const today = new Date().toISOString().slice(0, 10);
    expect((await buyer.api.get(`/api/orders?from=${today}&to=${today}`).expect(200)).body.data).toHaveLength(7);
    expect((await buyer.api.get('/api/orders?to=2020-01-01').expect(200)).body.data).toEqual([]);
    const { createdAt } = (await buyer.api.get(`/api/orders/${ids[2]}`).expect(200)).body;
    const since = await buyer.api.get(`/api/orders?from=${createdAt}`).expect(200);
    expect(since.body.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 3));
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=1e1',
    'limit=1&limit=2',
    'status=paid',
    'from=yesterday',
    'from=2026-02-30',
    'to=9999-12-31',
    'from=0000-01-01T00:00:00%2B23:00',
    'cursor=x',
    'sort=id',
  ])('refuses %s', async (query) => {
    await customer.api.get(`/api/orders?${query}`).expect(400);
  });

  it('refuses a forged cursor, whose text no column of ids could hold', async () => {
    const cursor = Buffer.from(JSON.stringify(['é'])).toString('base64url');
    await customer.api.get(`/api/orders?cursor=${cursor}`).expect(400);
  });
});

describe('one’s own data', () => {
  it('can be exported with all orders', async () => {
    const buyer = await shop.signUp();
    const { id } = await confirmedOrder(buyer);
    const { body } = await buyer.api.get('/api/auth/me/export').expect(200);
    expect(body.user).toMatchObject({ id: buyer.id, username: buyer.username });
    expect(body.sessions).toHaveLength(1);
    expect(body.orders.map((order: { id: string }) => order.id)).toEqual([id]);
  });
});

import { attacksOn } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { eventually } from './harness/eventually.ts';
import type { Account, Shop } from './harness/shop.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
const on = (shop: Shop, { accessToken }: Account) => shop.withToken(accessToken);
const placeRaw = (shop: Shop, account: Account, { key, body }: { key: string; body: string }) =>
  on(shop, account)
    .post('/api/orders')
    .set({ 'Idempotency-Key': key, 'Content-Type': 'application/json' })
    .serialize(String)
    .send(body);
const order = (shop: Shop, account: Account, { key, ...body }: { key?: string; [member: string]: unknown }) => {
  const request = on(shop, account).post('/api/orders');
  return (key === undefined ? request : request.set('Idempotency-Key', key)).send(body);
};
const ordersOf = async (account: Account) => (await account.api.get('/api/orders').expect(200)).body.data;
const stockOf = async (shop: Shop, id: string) => (await shop.api.get(`/api/products/${id}/stock`).expect(200)).body;

describe('the same order again', () => {
  attack('B-03', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const buyer = await shop.signUp();
    const items = [{ productId, quantity: 1 }];
    const first = await order(shop, buyer, { items, key: 'again' }).expect(201);
    const again = await order(deployment.other(shop), buyer, { items, key: 'again' }).expect(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true', location: first.headers.location });
    expect(await ordersOf(buyer)).toHaveLength(1);
  });
  attack('B-04', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const buyer = await shop.signUp();
    const bodies = [
      `{"items":[{"productId":"${productId}","quantity":2}]}`,
      ` {\n"items" : [ { "quantity" : 2 , "productId" : "${productId}" } ] }`,
      `{"items":[{"quantity":1,"productId":"${productId}"},{"quantity":1,"productId":"${productId}"}]}`,
    ];
    const ids = [];
    for (const body of bodies) ids.push((await placeRaw(shop, buyer, { key: '"words"', body }).expect(201)).body.id);
    expect(new Set(ids).size).toBe(1);
    expect((await stockOf(shop, productId)).available).toBe(98);
  });
  attack('B-05', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const buyer = await shop.signUp();
    await order(shop, buyer, { items: [{ productId, quantity: 1 }], key: 'other' }).expect(201);
    const reused = await order(deployment.other(shop), buyer, { items: [{ productId, quantity: 2 }], key: 'other' }).expect(422);
    expect(reused.body.type).toBe('/problems/idempotency-key-reused');
    expect((await stockOf(shop, productId)).available).toBe(99);
  });
  attack('B-07', async (shop) => {
    const { id: productId } = await shop.makeProduct({ initialStock: 1 });
    const buyer = await shop.signUp();
    await order(shop, buyer, { items: [{ productId, quantity: 0 }], key: 'corrected' }).expect(422);
    expect((await order(shop, buyer, { items: [{ productId, quantity: 2 }], key: 'corrected' }).expect(409)).body.type).toBe(
      '/problems/out-of-stock',
    );
    // a refusal is not remembered: the same key may try again, also with another body
    await order(deployment.other(shop), buyer, { items: [{ productId, quantity: 1 }], key: 'corrected' }).expect(201);
  });
  attack('B-15', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const buyer = await shop.signUp();
    const items = [{ productId, quantity: 1 }];
    const { body } = await order(shop, buyer, { items, key: 'lost' }).expect(201);
    const other = await shop.signUp();
    const foreign = await order(shop, other, { items, key: 'lost' }).expect(201);
    expect(foreign.body.id).not.toBe(body.id);
    expect(foreign.headers).not.toHaveProperty('idempotency-replayed');
    await buyer.api.post('/api/auth/delete').send({ password: buyer.password }).expect(204);
    const refused = await order(shop, buyer, { items, key: 'lost' }).expect(401);
    expect(refused.text).not.toContain(body.id);
    await eventually(() => order(deployment.other(shop), buyer, { items, key: 'lost' }).expect(401));
  });
});

describe('what makes no sense', () => {
  attack('B-08', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const buyer = await shop.signUp();
    for (const quantity of [0, -5, 2 ** 31, 1.5, '1', null, 1e21, true])
      await order(shop, buyer, { items: [{ productId, quantity }] }).expect(422);
    await order(shop, buyer, { items: [] }).expect(422);
    await order(shop, buyer, { items: Array(2001).fill({ productId, quantity: 1 }) }).expect(422);
    const unknown = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';
    await order(shop, buyer, { items: [{ productId: unknown, quantity: 1 }] }).expect(422);
    const merged = await order(shop, buyer, {
      items: [
        { productId, quantity: 1 },
        { productId, quantity: 2 },
      ],
    }).expect(201);
    expect(merged.body.items).toMatchObject([{ productId, quantity: 3 }]);
    expect(merged.body.total.amount).toBe(3000);
    expect((await stockOf(shop, productId)).available).toBe(97);
  });
  attack('B-09', async (shop) => {
    const { id: productId } = await shop.makeProduct({ initialStock: 20 });
    const buyer = await shop.signUp();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        order(index % 2 ? shop : deployment.other(shop), buyer, { items: [{ productId, quantity: 1 }] }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    expect(statuses.filter((status) => status === 409)).toHaveLength(80);
    expect((await stockOf(shop, productId)).available).toBe(0);
  });
  attack('B-11', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const buyer = await shop.signUp();
    const staff = await shop.staff();
    const fresh = async () => (await order(shop, buyer, { items: [{ productId, quantity: 1 }] }).expect(201)).body.id;
    const confirmed = async (id: string) =>
      eventually(async () => expect((await buyer.api.get(`/api/orders/${id}`).expect(200)).body.status).toBe('confirmed'));
    const step = (id: string, name: string) => on(deployment.other(shop), staff).post(`/api/orders/${id}/${name}`);
    const shipped = await fresh();
    await confirmed(shipped);
    await step(shipped, 'deliver').expect(409);
    await step(shipped, 'ship').expect(200);
    for (const name of ['ship', 'cancel']) {
      const { body } = await step(shipped, name).expect(409);
      expect(body).toMatchObject({ type: '/problems/illegal-transition', from: 'shipped', allowed: ['delivered'] });
    }
    const cancelled = await fresh();
    await confirmed(cancelled);
    const once = await on(shop, buyer).post(`/api/orders/${cancelled}/cancel`).expect(200);
    const twice = await on(deployment.other(shop), buyer).post(`/api/orders/${cancelled}/cancel`).expect(200);
    expect(twice.body).toEqual(once.body);
    for (const name of ['ship', 'deliver']) await step(cancelled, name).expect(409);
  });
  attack('B-13', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const buyer = await shop.signUp();
    const staff = await shop.staff();
    await on(deployment.other(shop), staff)
      .patch(`/api/products/${productId}`)
      .set('If-Match', '"1"')
      .send({ price: { amount: 1500 } })
      .expect(200);
    const expectedTotal = { amount: 1000, currency: 'GBP' };
    const changed = await order(shop, buyer, { items: [{ productId, quantity: 1 }], expectedTotal }).expect(409);
    expect(changed.body.type).toBe('/problems/total-changed');
    const { body } = await order(shop, buyer, { items: [{ productId, quantity: 1 }] }).expect(201);
    expect(body.total.amount).toBe(1500);
    await on(deployment.other(shop), staff).delete(`/api/products/${productId}`).set('If-Match', '"2"').expect(204);
    await order(shop, buyer, { items: [{ productId, quantity: 1 }] }).expect(422);
    expect((await buyer.api.get(`/api/orders/${body.id}`).expect(200)).body.total.amount).toBe(1500);
  });
});

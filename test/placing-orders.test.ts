import { randomUUID } from 'node:crypto';
import { eventually } from './harness/eventually.ts';
import { type Account, type Shop, startShop } from './harness/shop.ts';

let shop: Shop;
let customer: Account;

beforeAll(async () => {
  shop = await startShop();
  customer = await shop.signUp();
});

afterAll(() => shop.stop());

const stockOf = async (productId: string) => (await shop.api.get(`/api/products/${productId}/stock`).expect(200)).body;
const statusOf = async (orderId: string) => (await customer.api.get(`/api/orders/${orderId}`).expect(200)).body.status;
const settled = (orderId: string) => eventually(async () => expect(await statusOf(orderId)).toBe('confirmed'));

describe('placing an order', () => {
  it('sells the pieces and confirms the order', async () => {
    const product = await shop.makeProduct({ initialStock: 10, price: { amount: 250, currency: 'GBP' } });
    const placed = await shop.place(customer, [{ productId: product.id, quantity: 3 }]).expect(201);
    expect(placed.headers.location).toBe(`/api/orders/${placed.body.id}`);
    expect(placed.headers.etag).toBe('"1"');
    expect(placed.headers['cache-control']).toBe('private, no-store');
    expect(placed.body).toMatchObject({
      userId: customer.id,
      status: 'placed',
      version: 1,
      total: { amount: 750, currency: 'GBP' },
      items: [{ productId: product.id, sku: product.sku, quantity: 3, lineTotal: { amount: 750, currency: 'GBP' } }],
    });
    await settled(placed.body.id);
    expect(await stockOf(product.id)).toMatchObject({ onHand: 7, reserved: 0, available: 7 });
    const { body } = await customer.api.get(`/api/orders/${placed.body.id}/events`).expect(200);
    expect(body.data).toMatchObject([
      { sequence: 1, type: 'order.placed', by: 'customer' },
      { sequence: 2, type: 'order.confirmed', by: 'system' },
    ]);
  });

  it('charges the price at the time of ordering', async () => {
    const product = await shop.makeProduct({ price: { amount: 1000, currency: 'GBP' } });
    const { body: order } = await shop.place(customer, [{ productId: product.id, quantity: 1 }]).expect(201);
    const { api } = await shop.staff();
    await api
      .patch(`/api/products/${product.id}`)
      .set('If-Match', '"1"')
      .send({ price: { amount: 9900, currency: 'GBP' }, name: 'Renamed' })
      .expect(200);
    const { body } = await customer.api.get(`/api/orders/${order.id}`).expect(200);
    expect(body.items).toEqual(order.items);
    expect((await shop.place(customer, [{ productId: product.id, quantity: 1 }]).expect(201)).body.total.amount).toBe(9900);
  });

  it('adds up lines for the same product', async () => {
    const product = await shop.makeProduct({ initialStock: 5 });
    const line = { productId: product.id, quantity: 2 };
    const { body } = await shop.place(customer, [line, line]).expect(201);
    expect(body.items).toMatchObject([{ productId: product.id, quantity: 4 }]);
    await shop.place(customer, [line]).expect(409);
  });

  it('takes all lines or none and names every short one', async () => {
    const [plenty, few, none] = [
      await shop.makeProduct({ initialStock: 50 }),
      await shop.makeProduct({ initialStock: 2 }),
      await shop.makeProduct({ initialStock: 0 }),
    ];
    const lines = [plenty, few, none].map(({ id }) => ({ productId: id, quantity: 3 }));
    const { body } = await shop.place(customer, lines).expect(409);
    expect(body).toMatchObject({
      type: '/problems/out-of-stock',
      items: [
        { productId: few.id, requested: 3, available: 2 },
        { productId: none.id, requested: 3, available: 0 },
      ],
    });
    expect(await stockOf(plenty.id)).toMatchObject({ onHand: 50, reserved: 0, version: 1 });
  });

  it('refuses an order that would cost something else than expected', async () => {
    const product = await shop.makeProduct({ price: { amount: 100, currency: 'GBP' } });
    const items = [{ productId: product.id, quantity: 2 }];
    const { body } = await customer.api
      .post('/api/orders')
      .send({ items, expectedTotal: { amount: 199, currency: 'GBP' } })
      .expect(409);
    expect(body).toMatchObject({ type: '/problems/total-changed', total: { amount: 200, currency: 'GBP' } });
    await customer.api
      .post('/api/orders')
      .send({ items, expectedTotal: { amount: 200, currency: 'GBP' } })
      .expect(201);
  });

  it('refuses mixed currencies, unknown and deleted products, and totals beyond exact numbers', async () => {
    const pound = await shop.makeProduct();
    const euro = await shop.makeProduct({ price: { amount: 100, currency: 'EUR' } });
    const dear = await shop.makeProduct({ price: { amount: 1_000_000_000_000, currency: 'GBP' }, initialStock: 1_000_000 });
    const gone = await shop.makeProduct();
    await (await shop.staff()).api.delete(`/api/products/${gone.id}`).set('If-Match', '"1"').expect(204);
    const mixed = await shop
      .place(
        customer,
        [pound, euro].map(({ id }) => ({ productId: id, quantity: 1 })),
      )
      .expect(422);
    expect(mixed.body.type).toBe('/problems/mixed-currencies');
    const unknown = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';
    const { body } = await shop
      .place(
        customer,
        [pound.id, pound.id, unknown, gone.id].map((productId) => ({ productId, quantity: 1 })),
      )
      .expect(422);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/items/2/productId', '/items/3/productId']);
    await shop.place(customer, [{ productId: dear.id, quantity: 10_000 }]).expect(422);
    expect(await stockOf(pound.id)).toMatchObject({ reserved: 0, version: 1 });
  });

  it.each([
    ['no items', { items: [] }],
    ['a quantity of zero', { items: [{ productId: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', quantity: 0 }] }],
    ['half a piece', { items: [{ productId: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', quantity: 1.5 }] }],
    ['too many pieces', { items: [{ productId: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', quantity: 1_000_001 }] }],
    ['no id', { items: [{ productId: 'lamp', quantity: 1 }] }],
    ['a user', { items: [{ productId: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', quantity: 1 }], userId: 'somebody' }],
    [
      'too many lines',
      { items: Array.from({ length: 2001 }, () => ({ productId: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', quantity: 1 })) },
    ],
  ])('refuses a body with %s', async (_what, body) => {
    expect((await customer.api.post('/api/orders').send(body).expect(422)).body.errors.length).toBeGreaterThan(0);
  });

  it('takes an order of 2,000 lines', async () => {
    const products = await Promise.all(Array.from({ length: 200 }, () => shop.makeProduct({ initialStock: 100 })));
    const items = Array.from({ length: 2000 }, (_, index) => ({ productId: products[index % 200]?.id ?? '', quantity: 1 }));
    const { body } = await shop.place(customer, items).expect(201);
    expect(body.items).toHaveLength(200);
    expect(body.total.amount).toBe(2_000_000);
    await settled(body.id);
  });

  it('sells each of 100 pieces once to 1,000 buyers', async () => {
    const product = await shop.makeProduct({ initialStock: 100 });
    const buyers = await Promise.all(Array.from({ length: 20 }, () => shop.signUp()));
    const statuses = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        const buyer = buyers[index % buyers.length] ?? customer;
        return (await shop.place(buyer, [{ productId: product.id, quantity: 1 }])).status;
      }),
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(100);
    expect(statuses.filter((status) => status === 409)).toHaveLength(900);
    await eventually(async () => expect(await stockOf(product.id)).toMatchObject({ onHand: 0, reserved: 0 }));
  }, 60_000);

  it('knows no deadlock between orders that name two products in opposite order', async () => {
    const [one, other] = [await shop.makeProduct({ initialStock: 500 }), await shop.makeProduct({ initialStock: 500 })];
    const lines = [one, other].map(({ id }) => ({ productId: id, quantity: 1 }));
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) => shop.place(customer, index % 2 === 0 ? lines : lines.toReversed())),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    await eventually(async () => expect(await stockOf(one.id)).toMatchObject({ onHand: 436, reserved: 0 }));
  });
});

describe('an idempotency key', () => {
  const oneLamp = async (stock = 100) => [{ productId: (await shop.makeProduct({ initialStock: stock })).id, quantity: 1 }];

  it('makes one order of twenty copies that run at once', async () => {
    const items = await oneLamp();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.place(customer, items, { 'Idempotency-Key': key })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(19);
  });

  it('answers the order as it was placed, whatever became of it', async () => {
    const items = await oneLamp();
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await shop.place(customer, items, headers).expect(201);
    await settled(first.body.id);
    const again = await shop.place(customer, items, headers).expect(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.headers.location).toBe(first.headers.location);
    await shop.restart();
    expect((await shop.place(customer, items, headers).expect(201)).body).toEqual(first.body);
  });

  it('is the same quoted and bare, and whatever order the members of the body have', async () => {
    const items = await oneLamp();
    const key = randomUUID();
    const first = await shop.place(customer, items, { 'Idempotency-Key': key }).expect(201);
    const [{ productId, quantity } = { productId: '', quantity: 0 }] = items;
    const again = await customer.api
      .post('/api/orders')
      .set('Idempotency-Key', `"${key}"`)
      .set('Content-Type', 'application/json')
      .send(`{ "items" : [ { "quantity": ${quantity}, "productId": "${productId}" } ] }`)
      .expect(201);
    expect(again.body).toEqual(first.body);
  });

  it('is refused for another body, also while the first is under way', async () => {
    const items = await oneLamp();
    const headers = { 'Idempotency-Key': randomUUID() };
    const more = items.map((item) => ({ ...item, quantity: 2 }));
    const answers = await Promise.all(
      [...Array(10).keys()].map((index) => shop.place(customer, index % 2 ? more : items, headers)),
    );
    expect(answers.map(({ status }) => status).filter((status) => status !== 201 && status !== 422)).toEqual([]);
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body.id)).size).toBe(1);
    expect((await shop.place(customer, await oneLamp(), headers).expect(422)).body.type).toBe('/problems/idempotency-key-reused');
  });

  it('is refused with another expected total, also while the first is under way', async () => {
    const items = await oneLamp();
    const headers = { 'Idempotency-Key': randomUUID() };
    const send = (amount: number) =>
      customer.api
        .post('/api/orders')
        .set(headers)
        .send({ items, expectedTotal: { amount, currency: 'GBP' } });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => send(index % 2 ? 1 : 1000)));
    const right = answers.filter((_, index) => index % 2 === 0);
    expect(new Set(right.map(({ status }) => status))).toEqual(new Set([201]));
    for (const wrong of answers.filter((_, index) => index % 2)) expect([409, 422]).toContain(wrong.status);
  });

  it('belongs to its user', async () => {
    const items = await oneLamp();
    const headers = { 'Idempotency-Key': 'order-1' };
    const mine = await shop.place(customer, items, headers).expect(201);
    const theirs = await shop.place(await shop.signUp(), items, headers).expect(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it('does not remember a refusal', async () => {
    const items = await oneLamp(0);
    const headers = { 'Idempotency-Key': randomUUID() };
    await shop.place(customer, items, headers).expect(409);
    const { api } = await shop.staff();
    await api.post(`/api/products/${items[0]?.productId}/stock/adjustments`).send({ delta: 5, reason: 'delivery' }).expect(201);
    await shop.place(customer, items, headers).expect(201);
  });

  it.each(['', 'a b', 'ü', 'x'.repeat(256), '"open'])('that reads %j is refused', async (key) => {
    const { status } = await shop.place(customer, await oneLamp(), {
      'Idempotency-Key': Buffer.from(key, 'utf8').toString('latin1'),
    });
    expect(status).toBe(400);
  });
});

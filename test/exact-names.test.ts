import { type Account, type Shop, startShop } from './harness/shop.ts';

let shop: Shop;
let customer: Account;

beforeAll(async () => {
  shop = await startShop();
  customer = await shop.signUp();
});

afterAll(() => shop.stop());

/** What names something is itself alone: nothing is folded, trimmed or weighed by a collation. */
describe('names that differ in case alone', () => {
  it('are two skus', async () => {
    const [lower, upper] = [await shop.makeProduct({ sku: '85123a' }), await shop.makeProduct({ sku: '85123A' })];
    for (const { id, sku } of [lower, upper]) {
      const { body } = await shop.api.get(`/api/products?sku=${sku}`).expect(200);
      expect(body.data).toMatchObject([{ id, sku }]);
    }
    const { api } = await shop.staff();
    const again = { sku: '85123A', name: 'Again', price: { amount: 1, currency: 'GBP' } };
    await api.post('/api/products').send(again).expect(409);
  });

  it('are two idempotency keys', async () => {
    const { id: productId } = await shop.makeProduct({ initialStock: 5 });
    const place = (key: string) => shop.place(customer, [{ productId, quantity: 1 }], { 'Idempotency-Key': key }).expect(201);
    const [lower, upper] = [await place('my-key'), await place('MY-KEY')];
    expect(upper.body.id).not.toBe(lower.body.id);
    expect((await place('my-key')).body.id).toBe(lower.body.id);
    expect((await place('MY-KEY')).body.id).toBe(upper.body.id);
  });

  it('are two categories, and one of them is found at a time', async () => {
    const [lower, upper] = [await shop.makeProduct({ category: 'straße' }), await shop.makeProduct({ category: 'Straße' })];
    for (const [category, { id }] of Object.entries({ straße: lower, Straße: upper })) {
      const { body } = await shop.api.get(`/api/products?category=${encodeURIComponent(category)}`).expect(200);
      expect(body.data).toMatchObject([{ id, category }]);
    }
  });

  it('are two keys of an adjustment', async () => {
    const { id } = await shop.makeProduct({ initialStock: 5 });
    const { api } = await shop.staff();
    const adjust = (key: string) =>
      api
        .post(`/api/products/${id}/stock/adjustments`)
        .set('Idempotency-Key', key)
        .send({ delta: 1, reason: 'found' })
        .expect(201);
    const [lower, upper, again] = [await adjust('my-key'), await adjust('MY-KEY'), await adjust('my-key')];
    expect(upper.body.id).not.toBe(lower.body.id);
    expect(again.body.id).toBe(lower.body.id);
  });

  it('are one user, however he writes himself', async () => {
    const { id } = await shop.signUp('Renée', 'a fine long password');
    const credentials = { username: 'RENÉE', password: 'a fine long password' };
    await shop.api.post('/api/auth/register').send(credentials).expect(409);
    expect((await shop.signIn(credentials.username, credentials.password)).id).toBe(id);
    // an accent is a letter of its own
    expect((await shop.signUp('Renee', 'a fine long password')).id).not.toBe(id);
  });
});

/** The stores would not agree on these: MySQL compares as if the spaces were not there. So none gets into what it compares. */
describe('a space at the end', () => {
  it('is no part of a sku, or of a category', async () => {
    const { id } = await shop.makeProduct({ sku: 'spaced  ', category: 'Spaced ' });
    const { body } = await shop.api.get(`/api/products/${id}`).expect(200);
    expect(body).toMatchObject({ sku: 'spaced', category: 'Spaced' });
    const { api } = await shop.staff();
    const product = { name: 'Again', price: { amount: 1, currency: 'GBP' } };
    for (const sku of ['spaced', 'spaced ', ' spaced', 'spaced\u00a0'])
      await api
        .post('/api/products')
        .send({ ...product, sku })
        .expect(409);
    for (const query of ['sku=spaced%20', 'category=Spaced%20%20']) {
      const found = await shop.api.get(`/api/products?${query}`).expect(200);
      expect(found.body.data).toMatchObject([{ id }]);
    }
  });

  it('is refused in a username', async () => {
    const credentials = { username: 'spaced ', password: 'a fine long password' };
    await shop.api.post('/api/auth/register').send(credentials).expect(422);
  });

  it('makes another key, because keys are kept by their hash', async () => {
    const { id: productId } = await shop.makeProduct();
    const place = (key: string) => shop.place(customer, [{ productId, quantity: 1 }], { 'Idempotency-Key': key }).expect(201);
    const [plain, spaced, again] = [await place('"a key"'), await place('"a key "'), await place('"a key "')];
    expect(spaced.body.id).not.toBe(plain.body.id);
    expect(again.body.id).toBe(spaced.body.id);
  });
});

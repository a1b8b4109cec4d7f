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
});

import { newId } from '../../src/shared/identifier.ts';
import { accountOperations, makeSessions, userOperations } from './account-operations.ts';
import { eventually } from './eventually.ts';
import { count, limitOf, manyLines, type NotedShop, type Operation, times } from './noted-shop.ts';
import type { Account } from './shop.ts';

/** Every operation of the OpenAPI document by its id; what is missing here fails the tests that use it. */
export const everyOperation: Readonly<Record<string, Operation>> = {
  ...productOperations(),
  ...stockOperations(),
  ...orderOperations(),
  ...accountOperations(),
  ...userOperations(),
  getKeys:
    async ({ shop }) =>
    () =>
      shop.api.get('/.well-known/jwks.json').expect(200),
  getLiveness:
    async ({ shop }) =>
    () =>
      shop.api.get('/livez').expect(200),
  getReadiness:
    async ({ shop }) =>
    () =>
      shop.api.get('/readyz').expect(200),
};

function productOperations(): Readonly<Record<string, Operation>> {
  const product = { name: 'A lamp', price: { amount: 1, currency: 'GBP' } };
  return {
    createProduct: async ({ shop }) => {
      const { api } = await shop.staff();
      return () =>
        api
          .post('/api/products')
          .send({ ...product, sku: newId(), initialStock: 1 })
          .expect(201);
    },
    replaceProduct: async ({ shop }) => {
      const { api } = await shop.staff();
      const { id } = await shop.makeProduct();
      return () =>
        api
          .put(`/api/products/${id}`)
          .set('If-Match', '"1"')
          .send({ ...product, sku: newId() })
          .expect(200);
    },
    patchProduct: async ({ shop }) => {
      const { api } = await shop.staff();
      const { id } = await shop.makeProduct();
      return () => api.patch(`/api/products/${id}`).set('If-Match', '"1"').send({ name: 'Another lamp' }).expect(200);
    },
    deleteProduct: async ({ shop }) => {
      const { api } = await shop.staff();
      const { id } = await shop.makeProduct();
      return () => api.delete(`/api/products/${id}`).set('If-Match', '"1"').expect(204);
    },
    importProducts: async ({ shop }, many) => {
      const { api } = await shop.staff();
      const { sku } = await shop.makeProduct();
      const rows = Array.from({ length: many ? 200 : 1 }, () => ({ ...product, sku: newId(), initialStock: 1 }));
      // one of them is replaced
      const lines = [...rows, { ...product, sku }].map((row) => JSON.stringify(row)).join('\n');
      return () => api.post('/api/products/import').set('Content-Type', 'application/x-ndjson').send(lines).expect(200);
    },
    exportProducts: async ({ shop }, many) => {
      const { api } = await shop.staff();
      await times(count(many), () => shop.makeProduct());
      return () => api.get('/api/products/export').expect(200);
    },
    listProducts: async ({ shop }, many) => {
      await times(count(many), () => shop.makeProduct());
      return () => shop.api.get(`/api/products?include=stock&q=sku&limit=${limitOf(many)}`).expect(200);
    },
    readProduct: async ({ shop }) => {
      const { id } = await shop.makeProduct();
      return () => shop.api.get(`/api/products/${id}?include=stock`).expect(200);
    },
  };
}

function stockOperations(): Readonly<Record<string, Operation>> {
  return {
    readStock: async ({ shop }) => {
      const { id } = await shop.makeProduct();
      return () => shop.api.get(`/api/products/${id}/stock`).expect(200);
    },
    setStock: async ({ shop }) => {
      const { api } = await shop.staff();
      const { id } = await shop.makeProduct();
      return () => api.put(`/api/products/${id}/stock`).set('If-Match', '"1"').send({ onHand: 7 }).expect(200);
    },
    adjustStock: async ({ shop }) => {
      const { api } = await shop.staff();
      const { id } = await shop.makeProduct();
      const adjust = () => api.post(`/api/products/${id}/stock/adjustments`).set('Idempotency-Key', id);
      await adjust().send({ delta: 1, reason: 'found' }).expect(201);
      // a repetition also reads what the first one made
      return () => adjust().send({ delta: 1, reason: 'found' }).expect(201);
    },
    listStockMovements: async ({ shop }, many) => {
      const { api } = await shop.staff();
      const { id } = await shop.makeProduct();
      const adjust = () => api.post(`/api/products/${id}/stock/adjustments`).send({ delta: 1, reason: 'found' }).expect(201);
      await times(count(many), adjust);
      return () => api.get(`/api/products/${id}/stock/movements?limit=${limitOf(many)}`).expect(200);
    },
  };
}

/** A customer with one order, of one line or of many. */
async function makeOrder({ shop }: NotedShop, many: boolean): Promise<{ customer: Account; id: string }> {
  const customer = await shop.signUp();
  const products = await times(many ? manyLines : 1, () => shop.makeProduct());
  const { body } = await shop.place(
    customer,
    products.map(({ id }) => ({ productId: id, quantity: 1 })),
  );
  return { customer, id: body.id };
}

async function makeConfirmedOrder(noted: NotedShop, many: boolean): Promise<{ customer: Account; id: string }> {
  const { customer, id } = await makeOrder(noted, many);
  await noted.work('orders-relay');
  await eventually(async () => {
    const { body } = await customer.api.get(`/api/orders/${id}`);
    expect(body.status).toBe('confirmed');
  });
  return { customer, id };
}

async function makeOrders({ shop }: NotedShop, many: boolean): Promise<Account> {
  const customer = await shop.signUp();
  const { id: productId } = await shop.makeProduct();
  await times(count(many), () => shop.place(customer, [{ productId, quantity: 1 }]).expect(201));
  return customer;
}

function orderOperations(): Readonly<Record<string, Operation>> {
  return {
    placeOrder: async ({ shop }, many) => {
      const customer = await shop.signUp();
      const products = await times(many ? manyLines : 1, () => shop.makeProduct());
      const items = products.map(({ id }) => ({ productId: id, quantity: 1 }));
      return () => shop.place(customer, items, { 'Idempotency-Key': newId() }).expect(201);
    },
    listOrders: async (noted, many) => {
      const { api } = await makeOrders(noted, many);
      return () => api.get(`/api/orders?limit=${limitOf(many)}`).expect(200);
    },
    summarizeOrders: async (noted, many) => {
      await makeOrders(noted, many);
      const { api } = await noted.shop.staff();
      return () => api.get('/api/orders/summary?from=2024-01-01').expect(200);
    },
    getOrder: async (noted, many) => {
      const { customer, id } = await makeOrder(noted, many);
      return () => customer.api.get(`/api/orders/${id}`).expect(200);
    },
    listOrderEvents: async (noted, many) => {
      const { customer, id } = await makeConfirmedOrder(noted, many);
      return () => customer.api.get(`/api/orders/${id}/events`).expect(200);
    },
    cancelOrder: async (noted, many) => {
      const { customer, id } = await makeConfirmedOrder(noted, many);
      return () => customer.api.post(`/api/orders/${id}/cancel`).expect(200);
    },
    shipOrder: async (noted, many) => {
      const { id } = await makeConfirmedOrder(noted, many);
      const { api } = await noted.shop.staff();
      return () => api.post(`/api/orders/${id}/ship`).send({ carrier: 'Post' }).expect(200);
    },
    deliverOrder: async (noted, many) => {
      const { id } = await makeConfirmedOrder(noted, many);
      const { api } = await noted.shop.staff();
      await api.post(`/api/orders/${id}/ship`).expect(200);
      return () => api.post(`/api/orders/${id}/deliver`).expect(200);
    },
    exportPersonalData: async (noted, many) => {
      const customer = await makeOrders(noted, many);
      await makeSessions(noted, customer, many);
      return () => customer.api.get('/api/auth/me/export').expect(200);
    },
  };
}

import { attacksOn, unchanged } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { rawRequest } from './harness/raw-request.ts';
import type { Account, Shop } from './harness/shop.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
const unknown = '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f';

async function anOrder(shop: Shop): Promise<{ buyer: Account; productId: string; orderId: string }> {
  const { id: productId } = await shop.makeProduct();
  const buyer = await shop.signUp();
  const { body } = await shop.place(buyer, [{ productId, quantity: 1 }]).expect(201);
  return { buyer, productId, orderId: body.id };
}
const withoutId = ({ body, headers }: { body: Readonly<Record<string, unknown>>; headers: Record<string, string> }) => ({
  body: { ...body, instance: '' },
  headers: Object.keys(headers).toSorted(),
});

describe('what belongs to somebody else', () => {
  attack('A-01', async (shop) => {
    const { orderId } = await anOrder(shop);
    const thief = await deployment.other(shop).signUp();
    await unchanged(shop, async () => {
      for (const path of ['', '/events'])
        expect(withoutId(await thief.api.get(`/api/orders/${orderId}${path}`).expect(404))).toEqual(
          withoutId(await thief.api.get(`/api/orders/${unknown}${path}`).expect(404)),
        );
      const foreign = withoutId(await thief.api.post(`/api/orders/${orderId}/cancel`).expect(404));
      expect(foreign).toEqual(withoutId(await thief.api.post(`/api/orders/${unknown}/cancel`).expect(404)));
      await shop.api.get(`/api/orders/${orderId}`).expect(401);
    });
    // what comes before the last 62 bits tells the time, and those can't be guessed
    const { orderId: next } = await anOrder(shop);
    expect(next.slice(19)).not.toBe(orderId.slice(19));
    expect((await (await shop.staff()).api.get(`/api/orders/${orderId}`)).body.status).not.toBe('cancelled');
  });
  attack('A-02', async (shop) => {
    const { buyer, orderId } = await anOrder(shop);
    const thief = await shop.signUp();
    for (const query of [
      `userId=${buyer.id}`,
      `userId[]=${thief.id}&userId[]=${buyer.id}`,
      `userId=${thief.id}&userId=${buyer.id}`,
    ])
      await thief.api.get(`/api/orders?${query}`).expect(400);
    expect((await thief.api.get('/api/orders').expect(200)).body.data).toEqual([]);
    expect((await buyer.api.get('/api/orders').expect(200)).body.data).toMatchObject([{ id: orderId }]);
    const first = await (await shop.staff()).api.get('/api/orders?limit=1').expect(200);
    const { body } = await thief.api.get('/api/orders').query({ cursor: first.body.nextCursor ?? 'x' });
    expect(body.data ?? []).toEqual([]);
  });
  attack('A-03', async (shop) => {
    const { buyer, productId } = await anOrder(shop);
    const thief = await shop.signUp();
    const items = [{ productId, quantity: 1 }];
    for (const odd of [
      { userId: buyer.id },
      { user: { id: buyer.id } },
      { status: 'delivered' },
      { total: { amount: 0, currency: 'GBP' } },
    ])
      await thief.api
        .post('/api/orders')
        .send({ items, ...odd })
        .expect(422);
    await thief.api
      .post('/api/orders')
      .send({ items: [{ productId, quantity: 1, unitPrice: { amount: 1, currency: 'GBP' } }] })
      .expect(422);
    expect((await thief.api.get('/api/orders').expect(200)).body.data).toEqual([]);
  });
  attack('A-05', async (shop) => {
    const { buyer, productId, orderId } = await anOrder(shop);
    const thief = await shop.signUp();
    const own = await buyer.api.get(`/api/orders/${orderId}`).expect(200);
    const { headers } = await buyer.api.get('/api/auth/me').expect(200);
    for (const answer of [
      own,
      await buyer.api.get('/api/orders'),
      await buyer.api.get('/api/auth/me/export'),
      await buyer.api.get(`/api/products/${productId}`),
    ])
      expect(answer.headers['cache-control']).toBe('private, no-store');
    const tag = own.headers.etag ?? '';
    await thief.api.get(`/api/orders/${orderId}`).set('If-None-Match', tag).expect(404);
    expect(
      (
        await thief.api
          .get('/api/auth/me')
          .set('If-None-Match', headers.etag ?? '*')
          .expect(200)
      ).body.id,
    ).toBe(thief.id);
    // what everybody may read is told apart from what staff reads
    expect((await shop.api.get(`/api/products/${productId}`).expect(200)).headers.vary).toMatch(/Authorization/);
  });
});

describe('roles', () => {
  attack('A-09', async (shop) => {
    const { buyer, productId, orderId } = await anOrder(shop);
    const victim = await shop.signUp();
    const product = { sku: 'STOLEN', name: 'Stolen', price: { amount: 0, currency: 'GBP' } };
    await unchanged(shop, async () => {
      const tries = [
        buyer.api.post('/api/products').send(product),
        buyer.api.put(`/api/products/${productId}`).set('If-Match', '"1"').send(product),
        buyer.api.patch(`/api/products/${productId}`).set('If-Match', '"1"').send({ name: 'x' }),
        buyer.api.delete(`/api/products/${productId}`).set('If-Match', '"1"'),
        buyer.api.put(`/api/products/${productId}/stock`).set('If-Match', '"1"').send({ onHand: 0 }),
        buyer.api.post(`/api/products/${productId}/stock/adjustments`).send({ delta: -1, reason: 'theft' }),
        buyer.api.get(`/api/products/${productId}/stock/movements`),
        buyer.api.get('/api/auth/users'),
        buyer.api.get(`/api/auth/users/${victim.id}`),
        buyer.api.put(`/api/auth/users/${buyer.id}/roles`).send({ roles: ['admin'] }),
        buyer.api.post(`/api/auth/users/${victim.id}/reset-password`),
        buyer.api.post(`/api/auth/users/${victim.id}/restore`),
        buyer.api.post(`/api/orders/${orderId}/ship`).send({}),
        buyer.api.post(`/api/orders/${orderId}/deliver`),
        buyer.api.get('/api/orders/summary'),
      ];
      for (const answer of tries) expect((await answer.expect(403)).body.type).toBe('/problems/forbidden');
    });
    const staff = await shop.staff();
    await staff.api.get('/api/auth/users').expect(403);
    await staff.api
      .put(`/api/auth/users/${staff.id}/roles`)
      .send({ roles: ['admin'] })
      .expect(403);
  });
  attack('A-11', async (shop) => {
    const buyer = await shop.signUp();
    const port = Number(new URL(shop.url).port);
    const send = async (method: string, path: string, token?: string) => {
      const head = [
        `${method} ${path} HTTP/1.1`,
        'Host: x',
        'Connection: close',
        ...(token ? [`Authorization: Bearer ${token}`] : []),
      ];
      const { status, text } = await rawRequest(port, `${head.join('\r\n')}\r\n\r\n`);
      return { status, body: text.split('\r\n\r\n')[1] };
    };
    expect(await send('HEAD', '/api/auth/users')).toEqual({ status: 401, body: '' });
    expect(await send('HEAD', '/api/auth/users', buyer.accessToken)).toEqual({ status: 403, body: '' });
    expect(await send('OPTIONS', '/api/auth/users')).toEqual({ status: 204, body: '' });
    // Node knows methods in capitals alone
    expect((await send('get', '/api/auth/users', buyer.accessToken)).status).toBe(400);
    for (const name of ['X-HTTP-Method-Override', 'X-Method-Override', '_method'])
      await buyer.api.get('/api/auth/users').set(name, 'GET').expect(403);
    await shop.api.get('/api/auth/users').set({ 'X-Original-URL': '/livez', 'X-Rewrite-URL': '/livez' }).expect(401);
    await shop.api.get('/livez').set({ 'X-Original-URL': '/api/auth/users' }).expect(200);
  });
  attack('A-13', async (shop) => {
    const admin = await shop.signIn('admin', 'the first admin of all');
    const leave = [
      admin.api.put(`/api/auth/users/${admin.id}/roles`).send({ roles: ['customer'] }),
      admin.api.post('/api/auth/delete').send({ password: admin.password }),
      admin.api.put('/api/auth/delete').send({ password: admin.password }),
    ];
    for (const answer of leave) expect((await answer.expect(409)).body.type).toBe('/problems/last-admin');
    await admin.api.get('/api/auth/users').expect(200);
  });
  attack('A-14', async (shop) => {
    const { buyer, orderId } = await anOrder(shop);
    await buyer.api.post(`/api/orders/${orderId}/ship`).send({}).expect(403);
    await buyer.api.post(`/api/orders/${orderId}/deliver`).expect(403);
    for (const step of ['pay', 'refund', 'confirm', 'status'])
      await shop.withToken(buyer.accessToken).post(`/api/orders/${orderId}/${step}`).expect(404);
    await buyer.api.patch(`/api/orders/${orderId}`).send({ status: 'delivered' }).expect(405);
    expect(['placed', 'confirmed']).toContain((await buyer.api.get(`/api/orders/${orderId}`).expect(200)).body.status);
  });
});

describe('members that are nobody’s to set', () => {
  attack('M-01', async (shop) => {
    const staff = await shop.staff();
    const { id } = await shop.makeProduct();
    const patch = (body: unknown) =>
      staff.api
        .patch(`/api/products/${id}`)
        .set('If-Match', '"1"')
        .send(body as object);
    for (const name of ['id', 'version', 'createdAt', 'updatedAt', 'onHand', 'reserved', 'deletedAt', 'initialStock', 'stock'])
      expect((await patch({ [name]: 1 }).expect(422)).body.errors).toEqual([
        { pointer: `/${name}`, detail: 'is not a known field' },
      ]);
    expect((await shop.api.get(`/api/products/${id}`).expect(200)).body.version).toBe(1);
  });
  attack('M-03', async (shop) => {
    const staff = await shop.staff();
    const { id } = await shop.makeProduct();
    const patch = (body: unknown) =>
      staff.api
        .patch(`/api/products/${id}`)
        .set('If-Match', '"1"')
        .send(body as object);
    for (const body of [
      { name: null },
      { price: null },
      { sku: null },
      { price: { amount: null } },
      { include: { user: true } },
      { name: {} },
    ])
      await patch(body).expect(422);
    const text = staff.api.patch(`/api/products/${id}`).set({ 'If-Match': '"1"', 'Content-Type': 'application/json' });
    await text.serialize(String).send('{"name":undefined}').expect(400);
  });
  attack('M-04', async (shop) => {
    const credentials = { username: 'climber', password: 'a fine long password' };
    for (const odd of [
      { role: 'admin' },
      { roles: ['admin'] },
      { passwordHash: 'x' },
      { tokenVersion: 9 },
      { state: 'active' },
      { id: unknown },
    ])
      await shop.api
        .post('/api/auth/register')
        .send({ ...credentials, ...odd })
        .expect(422);
    const user = await shop.signUp();
    await user.api
      .put('/api/auth/password')
      .send({ currentPassword: user.password, newPassword: 'another fine long one', roles: ['admin'] })
      .expect(422);
    await user.api
      .patch('/api/auth/me')
      .send({ roles: ['admin'] })
      .expect(405);
    expect((await user.api.get('/api/auth/me').expect(200)).body.roles).toEqual(['customer']);
  });
  attack('M-05', async (shop) => {
    // every answer is checked against a closed schema by every client; here the stores' own names are looked for
    const { buyer, productId, orderId } = await anOrder(shop);
    const admin = await shop.admin();
    const answers = [
      await admin.api.get(`/api/products/${productId}?include=stock`).expect(200),
      await admin.api.get(`/api/products/${productId}/stock/movements`).expect(200),
      await admin.api.get(`/api/orders/${orderId}`).expect(200),
      await admin.api.get(`/api/orders/${orderId}/events`).expect(200),
      await admin.api.get(`/api/auth/users/${buyer.id}`).expect(200),
      await buyer.api.get('/api/auth/me/export').expect(200),
    ];
    for (const { text } of answers)
      expect(text).not.toMatch(/fingerprint|claim|_id"|password|hash|"token|"secret|search|deleted|"keyId|generation/i);
  });
  attack('M-07', async (shop) => {
    const staff = await shop.staff();
    const { id } = await shop.makeProduct();
    const edit = (tag?: string) => {
      const request = staff.api.patch(`/api/products/${id}`);
      return (tag === undefined ? request : request.set('If-Match', tag)).send({ name: 'Edited' });
    };
    expect((await edit().expect(428)).body.type).toBe('/problems/precondition-required');
    for (const tag of ['"0"', '"99"', 'W/"1"', '"x"', '"-1"'])
      expect((await edit(tag).expect(412)).body).toMatchObject({ currentVersion: 1 });
    for (const tag of ['*', '1', '-1', '"1', '"1" "2"', '']) expect([400, 428]).toContain((await edit(tag)).status);
    await edit('"1"').expect(200);
    await edit('"1"').expect(412);
  });
  attack('M-08', async (shop) => {
    const { id } = await shop.makeProduct();
    const admin = await shop.admin();
    const edits = Array.from({ length: 50 }, (_, index) =>
      (index % 2 ? shop : deployment.other(shop))
        .withToken(admin.accessToken)
        .patch(`/api/products/${id}`)
        .set('If-Match', '"1"')
        .send({ name: `Edit ${index}` }),
    );
    const statuses = (await Promise.all(edits)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(49);
  });
});

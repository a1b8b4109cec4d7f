import { type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';
import { type Account, type Shop, startShop } from './harness/shop.ts';

const days = 24 * 60 * 60 * 1000;
const password = 'a fine long password';

describe('an account that its user ends', () => {
  let shop: Shop;
  let admin: Account;
  beforeAll(async () => {
    shop = await startShop();
    admin = await shop.admin();
  });
  afterAll(() => shop.stop());

  const isOver = async ({ api, refreshToken, username, password: word }: Account) => {
    await api.get('/api/auth/me').expect(401);
    await shop.api.post('/api/auth/refresh').send({ refreshToken }).expect(401);
    const { body } = await shop.api.post('/api/auth/login').send({ username, password: word }).expect(401);
    expect(body.type).toBe('/problems/invalid-credentials');
    await shop.api.post('/api/auth/register').send({ username, password: word }).expect(409);
  };

  it.each(['post', 'put'] as const)('with %s wants the password', async (method) => {
    const user = await shop.signUp();
    const { body } = await user.api[method]('/api/auth/delete').send({ password: 'not the password' }).expect(401);
    expect(body.type).toBe('/problems/invalid-credentials');
    await user.api[method]('/api/auth/delete').expect(400);
    await user.api[method]('/api/auth/delete').send({}).expect(422);
    await shop.api[method]('/api/auth/delete').send({ password: user.password }).expect(401);
    await user.api.get('/api/auth/me').expect(200);
  });

  it('for ever is over at once', async () => {
    const user = await shop.signUp();
    await user.api.post('/api/auth/delete').send({ password: user.password }).expect(204);
    await isOver(user);
    await user.api.post('/api/auth/delete').send({ password: user.password }).expect(401);
    const { body } = await admin.api.get(`/api/auth/users/${user.id}`).expect(200);
    expect(body.state).toBe('erasing');
    expect((await admin.api.post(`/api/auth/users/${user.id}/restore`).expect(409)).body).toMatchObject({
      type: '/problems/illegal-transition',
      from: 'erasing',
    });
    await admin.api
      .put(`/api/auth/users/${user.id}/roles`)
      .send({ roles: ['staff'] })
      .expect(409);
    await admin.api.post(`/api/auth/users/${user.id}/reset-password`).expect(409);
  });

  it('for now is over until an admin restores it', async () => {
    const user = await shop.signUp();
    await user.api.put('/api/auth/delete').send({ password: user.password }).expect(204);
    await isOver(user);
    await user.api.put('/api/auth/delete').send({ password: user.password }).expect(401);
    const { body } = await admin.api.get(`/api/auth/users/${user.id}`).expect(200);
    expect(body.state).toBe('deactivated');
    expect(Date.parse(body.eraseAt) - Date.now()).toBeGreaterThan(29 * days);

    const restored = await admin.api.post(`/api/auth/users/${user.id}/restore`).expect(200);
    expect(restored.body).toEqual({
      id: user.id,
      username: user.username,
      roles: ['customer'],
      state: 'active',
      createdAt: expect.any(String),
    });
    await admin.api.post(`/api/auth/users/${user.id}/restore`).expect(200);
    await user.api.get('/api/auth/me').expect(401);
    await shop.signIn(user.username, user.password);
  });
});

describe('erasing', () => {
  let store: AuthProcesses;
  let process: AuthProcess;
  let offset = 0;
  const now = () => Date.now() + offset;
  beforeAll(async () => {
    store = await openAuthProcesses();
    process = await store.start({
      now,
      settings: { passwordMinLength: 12, bcryptCost: 4, admin: { username: 'root', password } },
    });
    await process.auth.start();
  });
  afterEach(() => {
    offset = 0;
  });
  afterAll(() => store.close());

  const signUp = async (username: string) => (await process.call('register', { body: { username, password } })).body;
  const signInRoot = async () => (await process.call('login', { body: { username: 'root', password } })).body.accessToken;
  const due = async () => (await process.auth.api.usersToErase(100)).map(({ userId }) => userId);

  it('begins 30 days after the account was deactivated', async () => {
    const { user, accessToken } = await signUp('sleeper');
    expect((await process.call('deactivateAccount', { token: accessToken, body: { password } })).status).toBe(204);
    offset = 29 * days;
    await process.work('auth-deactivations');
    expect(await due()).not.toContain(user.id);
    offset = 30 * days + 1000;
    await process.work('auth-deactivations');
    expect(await due()).toContain(user.id);
    expect((await process.call(`restoreUser ${user.id}`, { token: await signInRoot() })).status).toBe(409);
    await process.auth.api.erased(user.id);
    expect(await due()).not.toContain(user.id);
  });

  it('leaves alone an account that was restored in time', async () => {
    const { user, accessToken } = await signUp('waker');
    await process.call('deactivateAccount', { token: accessToken, body: { password } });
    expect((await process.call(`restoreUser ${user.id}`, { token: await signInRoot() })).status).toBe(200);
    offset = 31 * days;
    await process.work('auth-deactivations');
    expect(await due()).toEqual([]);
    expect((await process.call('login', { body: { username: 'waker', password } })).status).toBe(200);
  });

  it('removes everything personal and frees the name', async () => {
    const { user, accessToken } = await signUp('Canary-Name');
    await process.call('eraseAccount', { token: accessToken, body: { password } });
    expect(await process.auth.api.personalData(user.id)).toMatchObject({ user: { username: 'Canary-Name' } });
    expect(await due()).toContain(user.id);
    await process.auth.api.erased(user.id);
    await process.auth.api.erased(user.id);
    expect(await process.auth.api.usersToErase(100)).toEqual([]);
    const kept = [];
    for (const name of ['Users', 'Usernames', 'Sessions'])
      kept.push(...((await process.dynamo.client.scan({ TableName: `${process.dynamo.tablePrefix}${name}` })).Items ?? []));
    expect(JSON.stringify(kept)).not.toMatch(/canary/i);
    expect(kept.filter((item) => JSON.stringify(item).includes(user.id))).toEqual([
      { user_id: { S: user.id }, state: { S: 'gone' }, token: { N: '2' }, change_id: expect.anything() },
    ]);
    const next = await signUp('canary-name');
    expect(next.user.id).not.toBe(user.id);
    await process.auth.api.erased(user.id);
    expect((await process.call('getAccount', { token: next.accessToken })).status).toBe(200);
  });

  it('touches nobody who has not asked for it', async () => {
    const { user, accessToken } = await signUp('bystander');
    await process.auth.api.erased(user.id);
    await process.auth.api.erased('019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f');
    expect((await process.call('getAccount', { token: accessToken })).status).toBe(200);
  });

  it('tells a user what is kept about him', async () => {
    const { user } = await signUp('reader');
    await process.call('login', { body: { username: 'reader', password } });
    const data = await process.auth.api.personalData(user.id);
    expect(data.user).toEqual({ id: user.id, username: 'reader', roles: ['customer'], createdAt: expect.any(String) });
    expect(data.sessions).toHaveLength(2);
    expect(data.sessions[0]).toEqual({
      id: expect.any(String),
      device: 'tests',
      createdAt: expect.any(String),
      lastUsedAt: expect.any(String),
    });
  });
});

import { type Deployment, startDeployment } from './harness/deployment.ts';
import type { Shop } from './harness/shop.ts';

let deployment: Deployment;
beforeAll(async () => {
  const env = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '100000/600', RATE_LIMIT_LOGIN_FAILURES: '3/600' };
  deployment = await startDeployment({ env: { ...env, RATE_LIMIT_REGISTER: '100000/600' } });
});
afterAll(() => deployment.stop());

const shopOf = (): Shop => {
  const [shop] = deployment.processes;
  if (shop === undefined) throw new Error('There is no process.');
  return shop;
};

/** The events of security that the work leaves in the log, without the time; no text of `secrets` is in any of them. */
async function eventsOf(work: () => Promise<unknown>, secrets: readonly string[] = []) {
  const shop = shopOf();
  const before = shop.log.length;
  await work();
  const lines = shop.log.slice(before).filter((line) => 'security' in JSON.parse(line));
  for (const secret of secrets) expect(lines.join('')).not.toContain(secret);
  return lines.map((line) => {
    const { time, msg, ...event } = JSON.parse(line);
    expect(time).toMatch(/Z$/);
    expect(msg.length).toBeGreaterThan(5);
    return event;
  });
}

const request = { requestId: expect.any(String), address: '127.0.0.1' };
const password = 'a fine long password';
let counter = 0;
const aName = () => {
  counter += 1;
  return `Watched.${counter}`;
};

describe('the security log', () => {
  it('tells at the start which keys are known, by their names', () => {
    const loaded = shopOf()
      .log.map((line) => JSON.parse(line))
      .find(({ security }) => security === 'keys-loaded');
    expect(loaded).toMatchObject({
      accessKids: [expect.stringMatching(/^[\w-]{43}$/)],
      refreshKeyIds: [expect.stringMatching(/^[\w-]{11}$/)],
    });
  });

  it('has one event for each sign-in, right or wrong, and for each end', async () => {
    const shop = shopOf();
    const username = aName();
    const secrets = [username, password, 'not the password'];
    const { body } = await shop.api.post('/api/auth/register').send({ username, password }).expect(201);
    const { id } = body.user;
    const mine = shop.withToken(body.accessToken);
    const as = (level: string, security: string, more = {}) => ({ level, security, ...request, userId: id, ...more });
    const login = (word: string) => shop.api.post('/api/auth/login').send({ username, password: word });
    expect(await eventsOf(() => login(password).expect(200), secrets)).toEqual([as('info', 'signed-in')]);
    expect(await eventsOf(() => login('not the password').expect(401), secrets)).toEqual([as('warn', 'sign-in-failed')]);
    const { userId, ...nobody } = as('warn', 'sign-in-failed');
    expect(userId).toBe(id);
    expect(await eventsOf(() => shop.api.post('/api/auth/login').send({ username: aName(), password }).expect(401))).toEqual([
      nobody,
    ]);
    const wrong = { currentPassword: 'not the password', newPassword: 'another fine long one' };
    expect(await eventsOf(() => mine.put('/api/auth/password').send(wrong).expect(401), secrets)).toEqual([
      as('warn', 'password-wrong'),
    ]);
    const right = { currentPassword: password, newPassword: 'another fine long one' };
    expect(await eventsOf(() => mine.put('/api/auth/password').send(right).expect(204), [...secrets, right.newPassword])).toEqual(
      [as('info', 'password-changed')],
    );
    const again = (await login(right.newPassword).expect(200)).body;
    const session = again.refreshToken.split('.')[1];
    expect(await eventsOf(() => mine.delete(`/api/auth/sessions/${session}`).expect(204))).toEqual([
      as('info', 'session-ended', { sessionId: session }),
    ]);
    expect(await eventsOf(() => mine.post('/api/auth/logout').expect(204))).toEqual([as('info', 'signed-out', { all: false })]);
  });

  it('has one for each account that is made, put aside or erased', async () => {
    const shop = shopOf();
    const credentials = { username: aName(), password };
    const made = await eventsOf(
      () => shop.api.post('/api/auth/register').send(credentials).expect(201),
      Object.values(credentials),
    );
    expect(made).toEqual([{ level: 'info', security: 'registered', ...request, userId: expect.any(String) }]);
    const { accessToken } = (await shop.api.post('/api/auth/login').send(credentials).expect(200)).body;
    const put = await eventsOf(
      () => shop.withToken(accessToken).put('/api/auth/delete').send({ password }).expect(204),
      [password],
    );
    expect(put).toMatchObject([{ security: 'account-deactivated', ...request }]);
    const other = await shop.signUp();
    const erased = await eventsOf(
      () => other.api.post('/api/auth/delete').send({ password: other.password }).expect(204),
      [other.password],
    );
    expect(erased).toMatchObject([{ security: 'account-erased', ...request, userId: other.id }]);
  });

  it('has one for each thing that an admin does', async () => {
    const shop = shopOf();
    const admin = await shop.admin();
    const user = await shop.signUp();
    const by = admin.id;
    const set = () =>
      admin.api
        .put(`/api/auth/users/${user.id}/roles`)
        .send({ roles: ['staff'] })
        .expect(200);
    expect(await eventsOf(set)).toEqual([
      { level: 'warn', security: 'roles-changed', ...request, userId: user.id, roles: ['staff'], by },
    ]);
    let made = '';
    const reset = async () => {
      made = (await admin.api.post(`/api/auth/users/${user.id}/reset-password`).expect(200)).body.password;
    };
    const events = await eventsOf(reset);
    expect(events).toEqual([{ level: 'warn', security: 'password-reset', ...request, userId: user.id, by }]);
    expect(shop.log.join('')).not.toContain(made);
    expect(await eventsOf(() => admin.api.post(`/api/auth/users/${user.id}/restore`).expect(200))).toMatchObject([
      { security: 'account-restored', by },
    ]);
    expect(await eventsOf(() => admin.api.get('/api/auth/users').expect(200))).toEqual([
      { level: 'info', security: 'users-read', ...request, by },
    ]);
    expect(await eventsOf(() => admin.api.get(`/api/auth/users/${user.id}`).expect(200))).toMatchObject([
      { security: 'users-read', userId: user.id, by },
    ]);
  });

  it('has one for each refusal, with what was asked for', async () => {
    const shop = shopOf();
    const user = await shop.signUp();
    const refused = (security: string, operationId: string) => ({
      level: 'warn',
      security,
      ...request,
      operationId,
      reason: expect.any(String),
    });
    expect(await eventsOf(() => shop.api.get('/api/orders').expect(401))).toEqual([refused('unauthenticated', 'listOrders')]);
    expect(await eventsOf(() => user.api.get('/api/auth/users').expect(403))).toEqual([
      { ...refused('forbidden', 'listUsers'), userId: user.id },
    ]);
    expect(
      await eventsOf(() => shop.api.post('/api/auth/refresh').send({ refreshToken: 'canary' }).expect(401), ['canary']),
    ).toEqual([refused('refresh-refused', 'refresh')]);
    for (let time = 0; time < 3; time += 1)
      await shop.api.post('/api/auth/login').send({ username: user.username, password: 'wrong password' }).expect(401);
    const login = () => shop.api.post('/api/auth/login').send({ username: user.username, password: user.password }).expect(429);
    expect(await eventsOf(login, [user.username])).toEqual([refused('throttled', 'login')]);
  });

  it('cries when a spent refresh token comes back', async () => {
    const shop = shopOf();
    const user = await shop.signUp();
    const refresh = (refreshToken: string) => shop.api.post('/api/auth/refresh').send({ refreshToken });
    const second = (await refresh(user.refreshToken).expect(200)).body.refreshToken;
    await refresh(second).expect(200);
    const [alarm, ...rest] = await eventsOf(() => refresh(user.refreshToken).expect(401), [user.refreshToken, second]);
    expect(alarm).toEqual({
      level: 'error',
      security: 'refresh-reused',
      ...request,
      userId: user.id,
      sessionId: second.split('.')[1],
    });
    expect(rest).toMatchObject([{ security: 'refresh-refused' }]);
  });
});

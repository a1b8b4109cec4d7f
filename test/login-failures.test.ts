import { type Shop, startShop } from './harness/shop.ts';

const window = 600_000;
let offset = 0;
let shop: Shop;
beforeAll(async () => {
  const limits = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '100000/600', RATE_LIMIT_REGISTER: '100000/600' };
  shop = await startShop({ env: limits, overrides: { now: () => Date.now() + offset } });
});
afterEach(() => {
  offset = 0;
});
afterAll(() => shop.stop());

const login = (username: string, password: string) => shop.api.post('/api/auth/login').send({ username, password });
const fail = async (username: string, times: number) => {
  for (let time = 0; time < times; time++) await login(username, `wrong password number ${time}`).expect(401);
};

describe('wrong passwords', () => {
  it('pause an account after ten, also for the right one', async () => {
    const user = await shop.signUp();
    const bystander = await shop.signUp();
    await fail(user.username, 10);
    const { body, headers } = await login(user.username, user.password).expect(429);
    expect(body.type).toBe('/problems/throttled');
    expect(Number(headers['retry-after'])).toBeGreaterThan(590);
    await login(user.username.toUpperCase(), user.password).expect(429);

    await user.api.get('/api/auth/me').expect(200);
    await shop.api.post('/api/auth/refresh').send({ refreshToken: user.refreshToken }).expect(200);
    await shop.signIn(bystander.username, bystander.password);

    offset = window + 1000;
    await shop.signIn(user.username, user.password);
  });

  it('pause twice as long each time, up to 32 times, until a day has passed', async () => {
    const user = await shop.signUp();
    const retryAfter = async () => {
      await fail(user.username, 10);
      return Number((await login(user.username, user.password).expect(429)).headers['retry-after']);
    };
    let failures = 0;
    for (const doubled of [1, 2, 4, 8, 16, 32, 32]) {
      const seconds = await retryAfter();
      expect(seconds).toBeGreaterThan(600 * doubled - 30);
      expect(seconds).toBeLessThanOrEqual(600 * doubled);
      failures += 10;
      offset += seconds * 1000 + 1000;
    }
    // that took more than fifteen hours
    expect(offset).toBeGreaterThan(15 * 3_600_000);
    expect(failures).toBeLessThanOrEqual(100);
    offset += 24 * 3_600_000;
    expect(await retryAfter()).toBeLessThanOrEqual(600);
  });

  it('pause a name that nobody has alike', async () => {
    await fail('nobody.has.this', 10);
    await login('nobody.has.this', 'wrong password').expect(429);
  });

  it('are counted exactly when they come at once', async () => {
    const user = await shop.signUp();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => login(user.username, `wrong password number ${index}`)),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
  });

  it('are not what a crowd of right ones is', async () => {
    const user = await shop.signUp();
    const answers = await Promise.all(Array.from({ length: 25 }, () => login(user.username, user.password)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });

  it('count wherever a password is asked for', async () => {
    const user = await shop.signUp();
    for (let time = 0; time < 5; time++) {
      await user.api
        .put('/api/auth/password')
        .send({ currentPassword: 'wrong password', newPassword: 'some other password' })
        .expect(401);
      await user.api.post('/api/auth/delete').send({ password: 'wrong password' }).expect(401);
    }
    await user.api.post('/api/auth/delete').send({ password: user.password }).expect(429);
    await login(user.username, user.password).expect(429);
  });

  it('are forgotten when an admin resets the password', async () => {
    const user = await shop.signUp();
    await fail(user.username, 10);
    const { api } = await shop.admin();
    const { body } = await api.post(`/api/auth/users/${user.id}/reset-password`).expect(200);
    await login(user.username, body.password).expect(200);
  });
});

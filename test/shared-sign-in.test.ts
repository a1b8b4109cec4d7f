import { pino } from 'pino';
import { createSharedLoginFailures } from '../src/modules/auth/shared-login-failures.ts';
import { Failure } from '../src/shared/failure.ts';
import { openSharing } from '../src/shared/sharing.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';
import { type Shop, startShop } from './harness/shop.ts';

let server: RedisServer;
let shops: readonly [Shop, Shop];

/** Two shops with users of their own, over one Redis: what they share is what they count. */
describeWithRedis()('wrong passwords in two processes', () => {
  beforeAll(async () => {
    server = await startRedis();
    const env = {
      REDIS_URL: server.url,
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_LOGIN: '100000/600',
      RATE_LIMIT_REGISTER: '1000/600',
    };
    shops = [await startShop({ env }), await startShop({ env })];
  });
  afterAll(async () => {
    for (const shop of shops) await shop.stop();
    await server.stop();
  });

  const login = (shop: Shop, username: string, password: string) => shop.api.post('/api/auth/login').send({ username, password });
  const guess = async (username: string, times: number) => {
    const answers = await Promise.all(
      Array.from({ length: times }, (_, index) => login(shops[index % 2 === 0 ? 0 : 1], username, `wrong password ${index}`)),
    );
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
    return answers.filter(({ status }) => status === 401).length;
  };

  it('pause an account after ten, wherever they were sent', async () => {
    const user = await shops[0].signUp();
    expect(await guess(user.username, 30)).toBe(10);
    const { headers } = await login(shops[0], user.username, user.password).expect(429);
    expect(Number(headers['retry-after'])).toBeGreaterThan(500);
  });

  it('are not what a crowd of right ones is', async () => {
    const user = await shops[1].signUp();
    const answers = await Promise.all(Array.from({ length: 25 }, () => login(shops[1], user.username, user.password)));
    expect(answers.map(({ status }) => status)).toEqual(Array(25).fill(200));
  });

  it('pause twice as long the second time, whichever process counts', async () => {
    const log = pino({ level: 'silent' });
    const sharings = [await openSharing(server.url, log), await openSharing(server.url, log)];
    const [here, there] = sharings.map(({ counters }) => createSharedLoginFailures({ limit: 2, windowSeconds: 2 }, counters));
    const failTwice = async () => {
      for (const failures of [here, there]) await (await failures?.admit('doubled'))?.end('wrong');
    };
    const refused = async () => {
      const error = await here?.admit('doubled').catch((failure: Failure) => failure);
      return error instanceof Failure ? Number(error.headers['Retry-After']) : 0;
    };
    await failTwice();
    expect(await refused()).toBeLessThanOrEqual(2);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await failTwice();
    expect(await refused()).toBeGreaterThan(2);
    await there?.clear('doubled');
    await failTwice();
    expect(await refused()).toBeLessThanOrEqual(2);
    for (const sharing of sharings) await sharing.close();
  });

  it('are forgotten when an admin resets the password', async () => {
    const user = await shops[0].signUp();
    await guess(user.username, 10);
    const { api } = await shops[0].admin();
    const { body } = await api.post(`/api/auth/users/${user.id}/reset-password`).expect(200);
    await login(shops[0], user.username, body.password).expect(200);
  });

  it('are counted by each process when Redis is gone, and nobody is locked out by that', async () => {
    const user = await shops[0].signUp();
    await server.kill();
    await login(shops[0], user.username, user.password).expect(200);
    expect(await guess(user.username, 60)).toBeLessThanOrEqual(10);
    expect((await shops[1].api.get('/readyz')).body).toMatchObject({ status: 'degraded', stores: { cache: 'down' } });
    await server.start();
  });
});

import { attacksOn } from './harness/attacks.ts';
import { type Deployment, processNames, startDeployment } from './harness/deployment.ts';
import type { Account, Shop } from './harness/shop.ts';

const window = 600;
let deployment: Deployment;
beforeAll(async () => {
  const env = {
    RATE_LIMIT_ENABLED: 'true',
    RATE_LIMIT_LOGIN: `60/${window}`,
    RATE_LIMIT_LOGIN_FAILURES: `10/${window}`,
    RATE_LIMIT_REGISTER: `100/${window}`,
    TRUST_PROXY_HOPS: '1',
  };
  deployment = await startDeployment({ env });
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
let counter = 0;
/** An address of IPv4 that nobody had before, as the proxy adds it. */
const anAddress = () => {
  counter += 1;
  return `10.9.${Math.floor(counter / 250)}.${counter % 250}`;
};
const loginFrom = (shop: Shop, address: string, credentials: { username: string; password: string }) =>
  shop.api.post('/api/auth/login').set('X-Forwarded-For', address).send(credentials);
const nobody = () => {
  counter += 1;
  return { username: `nobody.${counter}`, password: 'a fine long password' };
};
const signUp = async (shop: Shop): Promise<Account> => {
  counter += 1;
  const credentials = { username: `limited.${counter}`, password: 'a fine long password' };
  const { body } = await shop.api.post('/api/auth/register').set('X-Forwarded-For', anAddress()).send(credentials).expect(201);
  return {
    id: body.user.id,
    ...credentials,
    accessToken: body.accessToken,
    refreshToken: body.refreshToken,
    api: shop.withToken(body.accessToken),
  };
};
/** The process that the attacker asks the nth time: all in turn, this one first. */
const inTurn = (shop: Shop, time: number) => (time % processNames.length === 0 ? shop : deployment.other(shop));

describe('quotas by address', () => {
  attack('H-18', async (shop) => {
    const proxied = anAddress();
    const statuses = [];
    for (let time = 0; time < 100; time += 1) {
      const claimed = `1.2.3.${time}, ${proxied}`;
      const { status } = await loginFrom(shop, claimed, nobody()).set({
        'X-Real-IP': `1.2.3.${time}`,
        Forwarded: `for=1.2.3.${time}`,
      });
      statuses.push(status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(60);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
    expect(JSON.parse(shop.log.at(-1) ?? '{}').address).toBe(proxied);
    expect(shop.log.some((line) => line.includes('1.2.3.'))).toBe(false);
  });
  attack('L-12', async (shop) => {
    counter += 1;
    const network = `2001:db8:${counter.toString(16)}:a`;
    const statuses = [];
    for (let time = 0; time < 70; time += 1)
      statuses.push(
        (await loginFrom(shop, `${network}${(time % 256).toString(16).padStart(2, '0')}::${time + 1}`, nobody())).status,
      );
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
    const [a, b, c, d] = anAddress().split('.').map(Number);
    const hex = (high = 0, low = 0) => ((high << 8) | low).toString(16);
    const forms = [`${a}.${b}.${c}.${d}`, `::ffff:${a}.${b}.${c}.${d}`, `::ffff:${hex(a, b)}:${hex(c, d)}`];
    const mapped = [];
    for (let time = 0; time < 63; time += 1) mapped.push((await loginFrom(shop, forms[time % 3] ?? '', nobody())).status);
    expect(mapped.filter((status) => status === 429)).toHaveLength(3);
  });
  attack('L-13', async (shop) => {
    const address = anAddress();
    const answers = await Promise.all(Array.from({ length: 80 }, (_, time) => loginFrom(inTurn(shop, time), address, nobody())));
    const statuses = answers.map(({ status }) => status).filter((status) => status !== 503);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(60);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
  });
  attack('B-12', async (shop) => {
    const address = anAddress();
    const register = (time: number) =>
      inTurn(shop, time)
        .api.post('/api/auth/register')
        .set('X-Forwarded-For', address)
        .send({ ...nobody(), password: 'short' });
    const statuses = [];
    // what is refused for its password counts as well, and costs no hash
    for (let time = 0; time < 103; time += 1) statuses.push((await register(time)).status);
    expect(statuses.filter((status) => status === 422)).toHaveLength(100);
    expect(statuses.slice(100)).toEqual([429, 429, 429]);
  });
});

describe('wrong passwords for one account', () => {
  attack('L-10', async (shop) => {
    const victim = await signUp(shop);
    const bystander = await signUp(shop);
    const guess = (time: number, password: string) =>
      loginFrom(inTurn(shop, time), anAddress(), { username: victim.username, password });
    for (let time = 0; time < 10; time += 1) await guess(time, `wrong password ${time}`).expect(401);
    for (const time of [10, 11]) {
      const { headers, body } = await guess(time, victim.password).expect(429);
      expect(body.type).toBe('/problems/throttled');
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    // his sessions go on at every process, and others are not concerned
    for (const process of deployment.processes) await process.withToken(victim.accessToken).get('/api/auth/me').expect(200);
    await shop.api.post('/api/auth/refresh').send({ refreshToken: victim.refreshToken }).expect(200);
    await loginFrom(shop, anAddress(), { username: bystander.username, password: bystander.password }).expect(200);
    // the way back: an admin's reset
    const { body: signedIn } = await loginFrom(shop, anAddress(), {
      username: 'admin',
      password: 'the first admin of all',
    }).expect(200);
    const reset = await shop.withToken(signedIn.accessToken).post(`/api/auth/users/${victim.id}/reset-password`).expect(200);
    await loginFrom(deployment.other(shop), anAddress(), { username: victim.username, password: reset.body.password }).expect(
      200,
    );
  });
});

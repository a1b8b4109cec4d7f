import { attacksOn } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { eventually } from './harness/eventually.ts';
import type { Shop } from './harness/shop.ts';

const second = 1000;
const day = 86_400 * second;
let offset = 0;
let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment({ overrides: { now: () => Date.now() + offset, orderIntervals: { erasure: 200 } } });
});
afterEach(() => {
  offset = 0;
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
const refresh = (shop: Shop, refreshToken: unknown) => shop.api.post('/api/auth/refresh').send({ refreshToken });
const successor = async (shop: Shop, refreshToken: string): Promise<string> =>
  (await refresh(shop, refreshToken).expect(200)).body.refreshToken;
const invalid = async (shop: Shop, refreshToken: unknown) => {
  const { body } = await refresh(shop, refreshToken).expect(401);
  return { ...body, instance: '' };
};
const me = (shop: Shop, accessToken: string) => shop.withToken(accessToken).get('/api/auth/me');
/** A revocation is honoured by every process within 5 s. */
const promisedMs = 5 * second;

describe('refresh tokens', () => {
  attack('R-01', async (shop) => {
    const user = await shop.signUp();
    const { body } = await refresh(shop, user.refreshToken).expect(200);
    expect(body.refreshToken).not.toBe(user.refreshToken);
    expect(body.accessToken).not.toBe(user.accessToken);
    const proof = body.refreshToken.split('.').at(-1);
    expect(Buffer.from(proof, 'base64url')).toHaveLength(32);
  });
  attack('R-02', async (shop) => {
    const user = await shop.signUp();
    const other = deployment.other(shop);
    const next = await successor(shop, user.refreshToken);
    offset = 31 * second;
    await invalid(other, user.refreshToken);
    await invalid(shop, next);
    await invalid(other, next);
    await eventually(() => me(other, user.accessToken).expect(401));
  });
  attack('R-03', async (shop) => {
    const user = await shop.signUp();
    const parent = await successor(shop, user.refreshToken);
    const newest = await successor(deployment.other(shop), parent);
    await invalid(shop, user.refreshToken);
    for (const token of [newest, parent]) await invalid(deployment.other(shop), token);
  });
  attack('R-05', async (shop) => {
    const user = await shop.signUp();
    const first = await successor(shop, user.refreshToken);
    expect(await successor(deployment.other(shop), user.refreshToken)).toBe(first);
    await successor(shop, first);
  });
  attack('R-06', async (shop) => {
    for (let pair = 0; pair < 20; pair += 1) {
      const user = await shop.signUp();
      const [refreshed] = await Promise.all([
        refresh(deployment.other(shop), user.refreshToken),
        user.api.post('/api/auth/logout').expect(204),
      ]);
      expect([200, 401]).toContain(refreshed.status);
      for (const process of deployment.processes) {
        await invalid(process, user.refreshToken);
        if (refreshed.status === 200) await invalid(process, refreshed.body.refreshToken);
      }
      if (refreshed.status === 200) await me(shop, refreshed.body.accessToken).expect(401);
    }
  });
  attack('R-07', async (shop) => {
    for (let pair = 0; pair < 10; pair += 1) {
      const user = await shop.signUp();
      const [refreshed] = await Promise.all([
        refresh(deployment.other(shop), user.refreshToken),
        user.api.post('/api/auth/delete').send({ password: user.password }).expect(204),
      ]);
      expect([200, 401]).toContain(refreshed.status);
      for (const token of [user.refreshToken, refreshed.body.refreshToken ?? user.refreshToken]) await invalid(shop, token);
      await me(shop, refreshed.body.accessToken ?? user.accessToken).expect(401);
    }
  });
  attack('R-09', async (shop) => {
    const victim = await shop.signUp();
    const stolen = await successor(shop, victim.refreshToken);
    const onward = await successor(shop, stolen);
    await invalid(deployment.other(shop), victim.refreshToken);
    await invalid(shop, onward);
    const alerts = deployment.other(shop).log.filter((line) => line.includes('"refresh-reused"') && line.includes(victim.id));
    expect(alerts).toHaveLength(1);
    expect(JSON.parse(alerts[0] ?? '')).toMatchObject({ level: 'error', security: 'refresh-reused' });
  });
  attack('R-10', async (shop) => {
    const idle = await shop.signUp();
    const old = await shop.signUp();
    let token = old.refreshToken;
    for (const days of [29, 58, 87]) {
      offset = days * day;
      token = await successor(shop, token);
    }
    await invalid(shop, idle.refreshToken);
    offset = 91 * day;
    await invalid(deployment.other(shop), token);
  });
  attack('R-11', async (shop) => {
    const user = await shop.signUp();
    const foreign = await shop.signUp();
    const [keyId, , generation, proof] = user.refreshToken.split('.');
    const session = foreign.refreshToken.split('.')[1];
    const forged = [
      `${user.refreshToken.slice(0, -2)}AA`,
      `${keyId}.${session}.${generation}.${proof}`,
      `${user.refreshToken}x`,
      user.refreshToken.replace(/\.1\./, '.2.'),
      user.refreshToken.replace(/\.1\./, '.99999999999999999999.'),
      'x',
    ];
    const bodies = [];
    for (const token of forged) bodies.push(await invalid(shop, token));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    for (const token of [[], {}, null, 1, [user.refreshToken], ''])
      expect([401, 422]).toContain((await refresh(shop, token)).status);
    await refresh(shop, 'x'.repeat(300_000)).expect(413);
    await successor(shop, user.refreshToken);
    await successor(shop, foreign.refreshToken);
  });
});

describe('the end of a session', () => {
  attack('R-13', async (shop) => {
    const user = await shop.signUp();
    for (const process of deployment.processes) await me(process, user.accessToken).expect(200);
    await user.api.post('/api/auth/logout').expect(204);
    await me(shop, user.accessToken).expect(401);
    expect(await knownAfterMs(deployment.other(shop), user.accessToken, 'R-13')).toBeLessThan(promisedMs);
  });
  attack('R-14', async (shop) => {
    const user = await shop.signUp();
    for (const process of deployment.processes) await me(process, user.accessToken).expect(200);
    await deployment.redis?.kill();
    try {
      await user.api.post('/api/auth/logout').expect(204);
      const attacked = deployment.redis === undefined ? 'R-14' : 'R-14, Redis killed';
      expect(await knownAfterMs(deployment.other(shop), user.accessToken, attacked)).toBeLessThan(promisedMs);
    } finally {
      await deployment.redis?.start();
    }
    for (const process of deployment.processes) await me(process, user.accessToken).expect(401);
    await invalid(shop, user.refreshToken);
  });
  attack('R-15', async (shop) => {
    const { id: productId } = await shop.makeProduct();
    const user = await shop.signUp();
    const order = await shop.place(user, [{ productId, quantity: 1 }]).expect(201);
    await user.api.post('/api/auth/delete').send({ password: user.password }).expect(204);
    await me(shop, user.accessToken).expect(401);
    await shop.withToken(user.accessToken).get('/api/orders').expect(401);
    await invalid(deployment.other(shop), user.refreshToken);
    await shop.api.post('/api/auth/login').send({ username: user.username, password: user.password }).expect(401);
    await eventually(() => me(deployment.other(shop), user.accessToken).expect(401));
    // the erasure waits for requests under way; then the order names a pseudonym and the name is free
    offset = 60 * second;
    const staff = await shop.staff();
    await eventually(async () => {
      const { body } = await staff.api.get(`/api/orders/${order.body.id}`).expect(200);
      expect(body.userId).not.toBe(user.id);
    });
    await eventually(() =>
      shop.api.post('/api/auth/register').send({ username: user.username, password: user.password }).expect(201),
    );
  });
});

/** How long the process goes on accepting the token. */
async function knownAfterMs(process: Shop, accessToken: string, attacked: string): Promise<number> {
  const beganAt = performance.now();
  await eventually(() => me(process, accessToken).expect(401));
  const tookMs = Math.round(performance.now() - beganAt);
  globalThis.process.stderr.write(`${attacked}: a process learnt after ${tookMs} ms that a session had ended elsewhere\n`);
  return tookMs;
}

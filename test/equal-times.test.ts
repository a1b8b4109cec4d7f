import type { NameStore } from '../src/modules/auth/name-store.ts';
import { createSignIn } from '../src/modules/auth/sign-in.ts';
import type { UserStore } from '../src/modules/auth/user-store.ts';
import { mannWhitney } from './harness/mann-whitney.ts';
import { silent } from './harness/module-door.ts';
import { type Account, type Shop, startShop } from './harness/shop.ts';

let shop: Shop;
let user: Account;
beforeAll(async () => {
  // dearer than the other tests' hashes, so that one that is left out shows; cheap enough for a thousand
  shop = await startShop({ env: { BCRYPT_COST: '8' } });
  user = await shop.signUp();
});
afterAll(() => shop.stop());

const samples = 500;
/** a thousand requests, also on a machine that has much else to do */
const patienceMs = 300_000;
/** Of the two, a difference that nobody can use: a guess from one answer is right in less than 60 of 100 cases. */
const mostTelling = 0.1;

/** Milliseconds of each of two requests, sent in turn and in changing order, so that what else the machine does hits both alike. */
async function timesOf(one: () => Promise<void>, other: () => Promise<void>): Promise<readonly [number[], number[]]> {
  const times: readonly [number[], number[]] = [[], []];
  for (let round = -20; round < samples; round += 1)
    for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const beganAt = performance.now();
      await (which === 0 ? one() : other());
      if (round >= 0) times[which].push(performance.now() - beganAt);
    }
  return times;
}

const send = async (path: string, init: RequestInit, wanted: number) => {
  const answer = await fetch(`${shop.url}${path}`, init);
  await answer.arrayBuffer();
  if (answer.status !== wanted) throw new Error(`${path} answered ${answer.status}`);
};
const login = (username: string) => () =>
  send(
    '/api/auth/login',
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username, password: 'a wrong password' }),
    },
    401,
  );
const look =
  (id: string, { accessToken }: Account) =>
  () =>
    send(`/api/orders/${id}`, { headers: { Authorization: `Bearer ${accessToken}` } }, 404);

describe('how long an answer takes', () => {
  it(
    'L-15 does not tell whether a user exists',
    async () => {
      const { p, below } = mannWhitney(...(await timesOf(login(user.username), login('nobody.at.all.1'))));
      process.stderr.write(
        `sign-in, known against unknown user: P(known < unknown) = ${below.toFixed(3)}, p = ${p.toFixed(4)}\n`,
      );
      expect(Math.abs(below - 0.5)).toBeLessThan(mostTelling);
    },
    patienceMs,
  );

  it(
    'A-06 does not tell whether an order exists',
    async () => {
      const { id: productId } = await shop.makeProduct();
      const order = await shop.place(user, [{ productId, quantity: 1 }]).expect(201);
      const thief = await shop.signUp();
      const unknown = order.body.id.replace(/.{6}$/, '000000');
      const { p, below } = mannWhitney(...(await timesOf(look(order.body.id, thief), look(unknown, thief))));
      process.stderr.write(`order, foreign against unknown: P(foreign < unknown) = ${below.toFixed(3)}, p = ${p.toFixed(4)}\n`);
      expect(Math.abs(below - 0.5)).toBeLessThan(mostTelling);
    },
    patienceMs,
  );
});

describe('looking for a user', () => {
  it('takes its time before the hash begins, whether there is one or not', async () => {
    let hashBeganAt = 0;
    const signIn = createSignIn({
      names: { read: async () => undefined } as Pick<NameStore, 'read'> as NameStore,
      users: { read: async () => undefined } as Pick<UserStore, 'read'> as UserStore,
      hasher: {
        refuseWhenFull: () => {},
        hash: async () => '',
        matches: async () => {
          hashBeganAt = performance.now();
          return false;
        },
      },
      failures: { admit: async () => ({ end: async () => {} }), clear: async () => {} },
      log: silent,
      now: Date.now,
    });
    const beganAt = performance.now();
    await expect(signIn.authenticate('nobody', 'a wrong password')).rejects.toMatchObject({ code: 'invalid-credentials' });
    expect(hashBeganAt - beganAt).toBeGreaterThan(18);
  });
});

describe('the test of times', () => {
  const noise = (seed: number) =>
    Array.from({ length: samples }, (_, index) => Math.abs(Math.sin(seed + index * 12.9898) * 43758.5453) % 1);

  it('finds nothing between two samples of the same, and a shift of a tenth at once', () => {
    expect(mannWhitney(noise(1), noise(2)).p).toBeGreaterThan(0.05);
    const shifted = mannWhitney(
      noise(1),
      noise(2).map((value) => value + 0.15),
    );
    expect(shifted.p).toBeLessThan(0.001);
    expect(shifted.below).toBeGreaterThan(0.5 + mostTelling);
  });

  it('agrees with a table: U = 4, n = m = 5', () => {
    expect(mannWhitney([1, 2, 3, 4, 8], [5, 6, 7, 9, 10]).below).toBeCloseTo(22 / 25, 6);
    const same = mannWhitney([1, 1, 1], [1, 1, 1]);
    expect(same.below).toBe(0.5);
    expect(same.p).toBeCloseTo(1, 6);
  });
});

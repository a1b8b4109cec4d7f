import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import bcrypt from 'bcrypt';
import { unlimitedLoginFailures } from '../src/modules/auth/login-failures.ts';
import type { NameStore } from '../src/modules/auth/name-store.ts';
import { createPasswordHasher } from '../src/modules/auth/password-hash.ts';
import { createSignIn } from '../src/modules/auth/sign-in.ts';
import type { UserStore } from '../src/modules/auth/user-store.ts';
import { eventually } from './harness/eventually.ts';
import { silent } from './harness/module-door.ts';

const options = { pepper: 'pepper of the tests', cost: 4, atOnce: 2 };
afterEach(() => jest.restoreAllMocks());

describe('hashing passwords', () => {
  it('runs a few at once, the others in turn, and refuses what would wait too long', async () => {
    const hasher = createPasswordHasher(options);
    const running: (() => void)[] = [];
    let most = 0;
    jest.spyOn(bcrypt, 'hash').mockImplementation(
      () =>
        new Promise<string>((resolve) => {
          running.push(() => resolve('hash'));
          most = Math.max(most, running.length);
        }),
    );
    const outcomes = Array.from({ length: 110 }, () =>
      hasher.hash('a fine long password').then(
        () => 'done',
        (error: { code: string; headers: Record<string, string> }) => `${error.code} ${error.headers['Retry-After']}`,
      ),
    );
    let settled = false;
    const all = Promise.all(outcomes).finally(() => {
      settled = true;
    });
    while (!settled) {
      running.shift()?.();
      await new Promise(setImmediate);
    }
    const counts = Object.groupBy(await all, (outcome) => outcome);
    expect(most).toBe(2);
    expect(Object.entries(counts).map(([outcome, list]) => [outcome, list?.length])).toEqual([
      ['done', 102],
      ['overloaded 1', 8],
    ]);
  });

  it('refuses earlier when each takes long', async () => {
    const hasher = createPasswordHasher(options);
    jest.spyOn(bcrypt, 'hash').mockImplementation(async () => 'hash');
    let time = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => {
      time += 60_000;
      return time;
    });
    await hasher.hash('a fine long password');
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash('a fine long password')));
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 6 }, () => 'fulfilled'),
      'rejected',
      'rejected',
    ]);
  });

  it('refuses a sign-in before it is counted and its user is looked for', async () => {
    const hasher = createPasswordHasher({ ...options, atOnce: 1 });
    let looks = 0;
    const read = async () => {
      looks += 1;
      return undefined;
    };
    let counts = 0;
    const admit = async (account: string) => {
      counts += 1;
      return unlimitedLoginFailures.admit(account);
    };
    const signIn = createSignIn({
      names: { read } as Pick<NameStore, 'read'> as NameStore,
      users: { read } as Pick<UserStore, 'read'> as UserStore,
      ...{ hasher, failures: { ...unlimitedLoginFailures, admit }, log: silent, now: Date.now },
    });
    await expect(signIn.authenticate('nobody', 'a wrong password')).rejects.toMatchObject({ code: 'invalid-credentials' });
    expect([counts, looks]).toEqual([1, 2]);
    jest.spyOn(bcrypt, 'hash').mockImplementation(() => new Promise<string>(() => {}));
    // on a slow machine fewer may wait, and the last of these are refused
    for (let waiting = 0; waiting <= 100; waiting += 1) hasher.hash('a fine long password').catch(() => undefined);
    await expect(signIn.authenticate('nobody', 'a wrong password')).rejects.toMatchObject({ code: 'overloaded' });
    expect([counts, looks]).toEqual([1, 2]);
  });

  it('goes on after one that failed', async () => {
    const hasher = createPasswordHasher({ ...options, atOnce: 1 });
    jest.spyOn(bcrypt, 'hash').mockImplementationOnce(async () => {
      throw new Error('no entropy');
    });
    await expect(hasher.hash('a fine long password')).rejects.toThrow('no entropy');
    expect(await hasher.matches('a fine long password', await hasher.hash('a fine long password'))).toBe(true);
  });

  it('needs the pepper', async () => {
    const hash = await createPasswordHasher(options).hash('a fine long password');
    expect(await createPasswordHasher({ ...options, pepper: 'another pepper' }).matches('a fine long password', hash)).toBe(
      false,
    );
    expect(await bcrypt.compare('a fine long password', hash)).toBe(false);
  });
});

const isLinux = process.platform === 'linux';
const leftOut = isLinux ? '' : ', left out: only Linux has a priority for each thread';
const describeOnLinux = isLinux ? describe : describe.skip;
describeOnLinux(`hashing passwords beside requests${leftOut}`, () => {
  it('takes what they leave of the processor', async () => {
    await createPasswordHasher(options).hash('a fine long password');
    const pool = readdirSync('/proc/self/task').filter(
      (thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8') === 'libuv-worker\n',
    );
    expect(pool.length).toBeGreaterThan(0);
    const own = getPriority();
    await eventually(async () => {
      for (const thread of pool) expect(getPriority(Number(thread))).toBe(Math.max(own, 10));
    });
  });
});

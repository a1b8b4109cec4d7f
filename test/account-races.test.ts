import {
  type AuthProcess,
  type AuthProcesses,
  openAuthProcesses,
  type StoreRequest,
  type Verdict,
} from './harness/auth-processes.ts';

const password = 'a fine long password';
const minute = 60_000;

let store: AuthProcesses;
let offset = 0;
const now = () => Date.now() + offset;
beforeAll(async () => {
  store = await openAuthProcesses();
});
afterEach(() => {
  offset = 0;
});
afterAll(() => store.close());

const register = (process: AuthProcess, username: string) => process.call('register', { body: { username, password } });
const login = (process: AuthProcess, username: string, word = password) =>
  process.call('login', { body: { username, password: word } });

/** Holds the first write to a table, or one that comes later, until it is let go. */
function hold(process: AuthProcess, table: string, { command = /^(Put|Update|Delete)/, nth = 1 } = {}) {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let seen = 0;
  process.plan(async (request: StoreRequest): Promise<Verdict> => {
    if (request.table === table && command.test(request.command) && ++seen === nth) {
      reached.resolve();
      await released.promise;
    }
    return 'go on';
  });
  return { reached: reached.promise, release: () => released.resolve() };
}

/** Clocks stand still but for `advance`, so that nobody polls by himself. */
async function withStoppedClocks(story: (advance: (ms: number) => void) => Promise<void>): Promise<void> {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask'],
  });
  try {
    await story((ms) => void jest.advanceTimersByTime(ms));
  } finally {
    jest.useRealTimers();
  }
}

describe('a name that was claimed', () => {
  it('a minute ago without a user goes to the next one, and the first can not come back', async () => {
    const slow = await store.start({ now });
    const quick = await store.start({ now });
    const { reached, release } = hold(slow, 'Users');
    const late = register(slow, 'phoenix');
    await reached;
    offset = minute + 1000;
    const winner = await register(quick, 'phoenix');
    expect(winner.status).toBe(201);
    release();
    expect((await late).status).toBe(503);
    expect((await login(slow, 'phoenix')).body.user.id).toBe(winner.body.user.id);
    expect((await register(slow, 'phoenix')).status).toBe(409);
  });

  it('lately is waited for: the second one is told that it is taken', async () => {
    const [slow, quick] = [await store.start(), await store.start()];
    const { reached, release } = hold(slow, 'Users');
    const first = register(slow, 'patience');
    await reached;
    const second = register(quick, 'patience');
    setTimeout(release, 200);
    expect((await first).status).toBe(201);
    expect((await second).status).toBe(409);
  });

  it('goes over to one alone, when two take it over', async () => {
    const slow = await store.start({ now });
    slow.plan(({ table, isWrite }) => (table === 'Users' && isWrite ? 'crash before' : 'go on'));
    expect((await register(slow, 'heirloom')).status).toBe(503);
    offset = minute + 1000;
    const heirs = await Promise.all([store.start({ now }), store.start({ now }), store.start({ now })]);
    const answers = await Promise.all(heirs.map((process) => register(process, 'heirloom')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
  });
});

describe('a name that an erasure frees late', () => {
  it('stays with the user who has taken it meanwhile', async () => {
    const slow = await store.start({ now });
    const quick = await store.start({ now });
    const { body } = await register(slow, 'revenant');
    expect((await slow.call('eraseAccount', { token: body.accessToken, body: { password } })).status).toBe(204);
    const { reached, release } = hold(slow, 'Usernames');
    const erasing = slow.auth.api.erased(body.user.id);
    await reached;
    offset = minute + 1000;
    const next = await register(quick, 'revenant');
    expect(next.status).toBe(201);
    release();
    await erasing;
    expect((await login(quick, 'revenant')).body.user.id).toBe(next.body.user.id);
    expect((await register(quick, 'revenant')).status).toBe(409);
  });
});

describe('a change of a user', () => {
  const words = [password, 'a better long password', 'the best long password'];
  const passwords = (change: 1 | 2) => ({ currentPassword: words[change - 1], newPassword: words[change] });

  it('is refused when the session that makes it has ended meanwhile', () =>
    withStoppedClocks(async () => {
      const [one, two] = [await store.start(), await store.start()];
      await one.auth.start();
      const { body: own } = await register(one, 'overtaken');
      const { body: other } = await login(one, 'overtaken');
      const newPassword = 'a better long password';
      const body = { currentPassword: password, newPassword };
      expect((await two.call('changePassword', { token: other.accessToken, body })).status).toBe(204);
      // process one has not heard of it yet
      expect((await one.call('getAccount', { token: own.accessToken })).status).toBe(200);
      for (const operation of ['deactivateAccount', 'eraseAccount']) {
        expect((await one.call(operation, { token: own.accessToken, body: { password: newPassword } })).status).toBe(401);
      }
      expect((await one.call('logout', { token: own.accessToken, body: { all: true } })).status).toBe(401);
      expect((await two.call('getAccount', { token: other.accessToken })).status).toBe(200);
    }));

  it('that is half done lets its own session go on', async () => {
    const [slow, quick] = [await store.start(), await store.start()];
    const { body: own } = await register(slow, 'halfway');
    const newPassword = 'a better long password';
    const { reached, release } = hold(slow, 'Sessions', { command: /^Update/ });
    const change = slow.call('changePassword', { token: own.accessToken, body: { currentPassword: password, newPassword } });
    await reached;
    const renewed = await quick.call('refresh', { body: { refreshToken: own.refreshToken } });
    expect(renewed.status).toBe(200);
    release();
    expect((await change).status).toBe(204);
    await quick.work('auth-revocations');
    expect((await quick.call('getAccount', { token: renewed.body.accessToken })).status).toBe(200);
    expect((await quick.call('refresh', { body: { refreshToken: renewed.body.refreshToken } })).status).toBe(200);
  });

  it('that is finished late leaves the mark of the next one alone', async () => {
    const [slow, dying, next] = [await store.start(), await store.start(), await store.start()];
    const { body: own } = await register(slow, 'overlapping');
    // the first write to the user is the change itself, the second one says that it is finished
    const { reached, release } = hold(slow, 'Users', { nth: 2 });
    const first = slow.call('changePassword', { token: own.accessToken, body: passwords(1) });
    await reached;
    await next.work('auth-marks');
    dying.plan(({ table, isWrite }) => (table === 'Users' && isWrite ? 'crash after' : 'go on'));
    expect((await dying.call('changePassword', { token: own.accessToken, body: passwords(2) })).status).toBe(503);
    release();
    expect((await first).status).toBe(204);
    await next.work('auth-marks');
    expect((await next.call('refresh', { body: { refreshToken: own.refreshToken } })).status).toBe(200);
  });

  it('that is finished late does not set its session back', async () => {
    const [slow, next] = [await store.start(), await store.start()];
    const { body: own } = await register(slow, 'setback');
    const { reached, release } = hold(slow, 'Sessions');
    const first = slow.call('changePassword', { token: own.accessToken, body: passwords(1) });
    await reached;
    await next.work('auth-marks');
    expect((await next.call('changePassword', { token: own.accessToken, body: passwords(2) })).status).toBe(204);
    release();
    expect((await first).status).toBe(204);
    expect((await next.call('refresh', { body: { refreshToken: own.refreshToken } })).status).toBe(200);
  });

  it('is known to a process that has slept before it lets anybody in', () =>
    withStoppedClocks(async (advance) => {
      const [one, two] = [await store.start(), await store.start()];
      await two.auth.start();
      const { body } = await register(one, 'sleepless');
      expect((await two.call('getAccount', { token: body.accessToken })).status).toBe(200);
      expect((await one.call('logout', { token: body.accessToken })).status).toBe(204);
      expect((await one.call('getAccount', { token: body.accessToken })).status).toBe(401);
      advance(3900);
      expect((await two.call('getAccount', { token: body.accessToken })).status).toBe(200);
      advance(200);
      expect((await two.call('getAccount', { token: body.accessToken })).status).toBe(401);
    }));
});

describe('an admin', () => {
  const settings = { passwordMinLength: 12, bcryptCost: 4, admin: { username: 'first', password } };
  const setRoles = (
    process: AuthProcess,
    { user }: { user: { id: string } },
    { token, roles }: { token: string; roles: string[] },
  ) => process.call(`setRoles ${user.id}`, { token, body: { roles } });

  it('who was demoted elsewhere can not undo it with his old token', () =>
    withStoppedClocks(async () => {
      const [one, two] = [await store.start({ settings }), await store.start({ settings })];
      await one.auth.start();
      await two.auth.start();
      const { body: first } = await login(one, 'first');
      const { body: heir } = await register(one, 'second');
      expect((await setRoles(one, heir, { token: first.accessToken, roles: ['admin'] })).status).toBe(200);
      const { body: second } = await login(one, 'second');
      expect((await setRoles(one, second, { token: first.accessToken, roles: ['customer'] })).status).toBe(200);
      // process two has not heard of it yet
      expect((await two.call('listUsers', { token: second.accessToken })).status).toBe(200);
      expect((await setRoles(two, second, { token: second.accessToken, roles: ['admin'] })).status).toBe(401);
      expect((await setRoles(two, first, { token: second.accessToken, roles: ['customer'] })).status).toBe(401);
    }));

  it('whose grant is finished late does not come back after he was removed', async () => {
    const [slow, quick] = [await store.start({ settings }), await store.start({ settings })];
    await quick.auth.start();
    const { body: first } = await login(quick, 'first');
    const { body: heir } = await register(quick, 'latecomer');
    const { reached, release } = hold(slow, 'Admins');
    const grant = setRoles(slow, heir, { token: first.accessToken, roles: ['admin'] });
    await reached;
    expect((await setRoles(quick, heir, { token: first.accessToken, roles: ['customer'] })).status).toBe(200);
    release();
    await grant;
    // were he in the set, the last real admin could go
    expect((await setRoles(quick, first, { token: first.accessToken, roles: ['customer'] })).status).toBe(409);
  });
});

describe('a password that an admin made', () => {
  it('signs in once, also when two use it at the same time', async () => {
    const settings = { passwordMinLength: 12, bcryptCost: 4, admin: { username: 'first', password } };
    const [slow, quick] = [await store.start({ settings }), await store.start({ settings })];
    await quick.auth.start();
    const { body: user } = await register(quick, 'forgetful');
    const { body: admin } = await login(quick, 'first');
    const { body: reset } = await quick.call(`resetPassword ${user.user.id}`, { token: admin.accessToken });
    const { reached, release } = hold(slow, 'Users');
    const late = login(slow, 'forgetful', reset.password);
    await reached;
    expect((await login(quick, 'forgetful', reset.password)).status).toBe(200);
    release();
    expect((await late).status).toBe(401);
  });
});

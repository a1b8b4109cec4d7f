import { everyCrash, expectStatus, login, me, password, refresh, signUp } from './harness/auth-crashes.ts';
import { type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';

const rootSettings = { passwordMinLength: 12, bcryptCost: 4, admin: { username: 'root', password } };
// many small stories in one test
jest.setTimeout(120_000);

let store: AuthProcesses;
beforeEach(async () => {
  store = await openAuthProcesses();
  const first = await store.start({ settings: rootSettings });
  await first.auth.start();
  await first.close();
});
afterEach(() => store.close());

describe('a process that dies between any two writes', () => {
  const root = async (process: AuthProcess) => (await expectStatus(login(process, 'root'), 200)).body;
  const setRoles = (process: AuthProcess, id: string, { token, roles }: { token: string; roles: string[] }) =>
    process.call(`setRoles ${id}`, { token, body: { roles } });
  it.each([
    ['makes an admin of', ['customer'], ['admin']],
    ['takes the role of admin from', ['admin'], ['customer']],
    ['makes staff of', ['customer'], ['staff']],
  ])('while it %s somebody can be asked again, and one admin stays', async (_what, before, after) => {
    await everyCrash(store, {
      prepare: async (process) => {
        const user = await signUp(process);
        const { accessToken } = await root(process);
        if (!before.includes('customer'))
          await expectStatus(setRoles(process, user.id, { token: accessToken, roles: before }), 200);
        return { ...user, before: (await login(process, user.username)).body, accessToken };
      },
      act: (process, { id, accessToken }) => setRoles(process, id, { token: accessToken, roles: after }),
      check: async (process, { id, username, before: tokens, accessToken }) => {
        await expectStatus(setRoles(process, id, { token: accessToken, roles: after }), 200);
        const { body } = await expectStatus(login(process, username), 200);
        expect(body.user.roles).toEqual(after);
        await process.work('auth-revocations');
        await expectStatus(me(process, tokens.accessToken), 401);
        await expectStatus(refresh(process, tokens.refreshToken), 401);
        // the set knows who is an admin: root may go when there is another one, and he alone
        const { user, accessToken: mine } = await root(process);
        const left = await expectStatus(
          setRoles(process, user.id, { token: mine, roles: ['customer'] }),
          after.includes('admin') ? 200 : 409,
        );
        if (left.status === 409) return;
        const { accessToken: heir } = (await login(process, username)).body;
        await expectStatus(setRoles(process, user.id, { token: heir, roles: ['admin'] }), 200);
        await expectStatus(setRoles(process, id, { token: heir, roles: ['customer'] }), 200);
      },
    });
  });

  it('of a restore, and of a reset, can be asked again', async () => {
    await everyCrash(store, {
      prepare: async (process) => {
        const user = await signUp(process);
        await expectStatus(process.call('deactivateAccount', { token: user.tokens.accessToken, body: { password } }), 204);
        return { ...user, token: (await root(process)).accessToken };
      },
      act: async (process, { id, token }) => {
        const restored = await process.call(`restoreUser ${id}`, { token });
        return restored.status === 200 ? process.call(`resetPassword ${id}`, { token }) : restored;
      },
      check: async (process, { id, username, tokens, token }) => {
        await expectStatus(process.call(`restoreUser ${id}`, { token }), 200);
        const { body } = await expectStatus(process.call(`resetPassword ${id}`, { token }), 200);
        await expectStatus(login(process, username), 401);
        await expectStatus(login(process, username, body.password), 200);
        await expectStatus(login(process, username, body.password), 401);
        await expectStatus(refresh(process, tokens.refreshToken), 401);
      },
    });
  });

  it('of a sign-in by a one-time password uses it up for one session at most', async () => {
    const writes = await everyCrash(store, {
      prepare: async (process) => {
        const user = await signUp(process);
        const { accessToken } = await root(process);
        const { body } = await expectStatus(process.call(`resetPassword ${user.id}`, { token: accessToken }), 200);
        return { ...user, word: body.password, token: accessToken };
      },
      act: (process, { username, word }) => login(process, username, word),
      check: async (process, { id, username, word, token }, answer) => {
        const again = await login(process, username, word);
        if (answer.status === 200) expect(again.status).toBe(401);
        const newest = again.status === 200 ? again : answer;
        if (newest.status === 200) await expectStatus(refresh(process, newest.body.refreshToken), 200);
        await expectStatus(login(process, username, word), 401);
        // whoever lost it to a crash is given another one
        const { body } = await expectStatus(process.call(`resetPassword ${id}`, { token }), 200);
        await expectStatus(login(process, username, body.password), 200);
      },
    });
    expect(writes).toBe(2);
  });
});

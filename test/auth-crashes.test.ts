import { clock, everyCrash, expectStatus, login, me, newName, password, refresh, signUp } from './harness/auth-crashes.ts';
import { type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';

const newPassword = 'a better long password';
// many small stories in one test
jest.setTimeout(120_000);

let store: AuthProcesses;
beforeAll(async () => {
  store = await openAuthProcesses();
});
afterAll(() => store.close());

const register = (process: AuthProcess, username: string) => process.call('register', { body: { username, password } });

describe('a process that dies between any two writes', () => {
  it('of a registration leaves the name to one user', async () => {
    const writes = await everyCrash(store, {
      prepare: async () => newName(),
      act: register,
      check: async (process, username, answer) => {
        clock.offset = 60_001;
        const again = await expectStatus(process.call('register', { body: { username, password } }), 201, 409);
        if (answer.status === 201) expect(again.status).toBe(409);
        const { body } = await expectStatus(login(process, username), 200);
        if (answer.status === 201) expect(body.user.id).toBe(answer.body.user.id);
      },
    });
    expect(writes).toBe(3);
  });

  it('of a registration that takes over the name of one that died leaves it to one user', async () => {
    const writes = await everyCrash(store, {
      prepare: async () => {
        const username = newName();
        const died = await store.start({ now: clock.now });
        died.plan(({ write }) => (write === 1 ? 'crash after' : 'go on'));
        await expectStatus(register(died, username), 503);
        await died.close();
        clock.offset += 60_001;
        return username;
      },
      act: register,
      check: async (survivor, username, answer) => {
        clock.offset += 60_001;
        await expectStatus(register(survivor, username), answer.status === 201 ? 409 : 201, 409);
        const { body } = await expectStatus(login(survivor, username), 200);
        if (answer.status === 201) expect(body.user.id).toBe(answer.body.user.id);
      },
    });
    // the user of the other one is ruled out, the name changes hands, then as ever
    expect(writes).toBe(5);
  });

  it('of a sign-in lets the user sign in again', async () => {
    await everyCrash(store, {
      prepare: signUp,
      act: (process, { username }) => login(process, username),
      check: async (process, { username }) => void (await expectStatus(login(process, username), 200)),
    });
  });

  it('of a refresh keeps the session, with the same successor', async () => {
    const writes = await everyCrash(store, {
      prepare: signUp,
      act: (process, { tokens }) => refresh(process, tokens.refreshToken),
      check: async (process, { tokens }, answer) => {
        const { body } = await expectStatus(refresh(process, tokens.refreshToken), 200);
        if (answer.status === 200) expect(body.refreshToken).toBe(answer.body.refreshToken);
        await expectStatus(refresh(process, body.refreshToken), 200);
        await expectStatus(refresh(process, tokens.refreshToken), 401);
        await expectStatus(refresh(process, body.refreshToken), 401);
      },
    });
    expect(writes).toBe(1);
  });

  it('of the end of a reused session ends it when the token comes again', async () => {
    const writes = await everyCrash(store, {
      prepare: async (process) => {
        const { tokens } = await signUp(process);
        const second = await expectStatus(refresh(process, tokens.refreshToken), 200);
        const third = await expectStatus(refresh(process, second.body.refreshToken), 200);
        return { spent: tokens.refreshToken, third: third.body };
      },
      act: (process, { spent }) => refresh(process, spent),
      check: async (process, { spent, third }) => {
        await expectStatus(refresh(process, spent), 401);
        await expectStatus(refresh(process, third.refreshToken), 401);
        await process.work('auth-revocations');
        await expectStatus(me(process, third.accessToken), 401);
      },
    });
    expect(writes).toBe(2);
  });

  it('of a password change leaves one password, and sessions that fit it', async () => {
    const writes = await everyCrash(store, {
      prepare: async (process) => {
        const user = await signUp(process);
        const other = await expectStatus(login(process, user.username), 200);
        return { ...user, other: other.body };
      },
      act: (process, { tokens }) =>
        process.call('changePassword', { token: tokens.accessToken, body: { currentPassword: password, newPassword } }),
      check: async (process, { username, tokens, other }) => {
        const [before, after] = [await login(process, username), await login(process, username, newPassword)];
        const changed = after.status === 200;
        expect([before.status, after.status]).toEqual(changed ? [401, 200] : [200, 401]);
        await process.work('auth-revocations');
        await expectStatus(me(process, other.accessToken), changed ? 401 : 200);
        await expectStatus(refresh(process, other.refreshToken), changed ? 401 : 200);
        await expectStatus(me(process, tokens.accessToken), 200);
        const renewed = await expectStatus(refresh(process, tokens.refreshToken), 200);
        await expectStatus(me(process, renewed.body.accessToken), 200);
        const word = changed ? newPassword : password;
        await expectStatus(
          process.call('changePassword', {
            token: tokens.accessToken,
            body: { currentPassword: word, newPassword: 'one more long password' },
          }),
          204,
        );
      },
    });
    expect(writes).toBe(4);
  });

  it.each([
    ['one session', {}, 2],
    ['all sessions', { all: true }, 3],
  ])('of signing out of %s can be repeated', async (_which, body, expected) => {
    const writes = await everyCrash(store, {
      prepare: signUp,
      act: (process, { tokens }) => process.call('logout', { token: tokens.accessToken, body }),
      check: async (process, { tokens }, answer) => {
        if (answer.status === 503) await expectStatus(process.call('logout', { token: tokens.accessToken, body }), 204, 401);
        await process.work('auth-revocations');
        await expectStatus(me(process, tokens.accessToken), 401);
        await expectStatus(refresh(process, tokens.refreshToken), 401);
      },
    });
    expect(writes).toBe(expected);
  });

  it('of signing another device out can be repeated', async () => {
    await everyCrash(store, {
      prepare: async (process) => {
        const user = await signUp(process);
        const { body } = await expectStatus(login(process, user.username), 200);
        const { body: list } = await process.call('listSessions', { token: user.tokens.accessToken });
        return { ...user, other: body, otherId: list.data.find(({ current }: { current: boolean }) => !current).id };
      },
      act: (process, { tokens, otherId }) => process.call(`endSession ${otherId}`, { token: tokens.accessToken }),
      check: async (process, { tokens, other, otherId }) => {
        await expectStatus(process.call(`endSession ${otherId}`, { token: tokens.accessToken }), 204, 404);
        await process.work('auth-revocations');
        await expectStatus(me(process, other.accessToken), 401);
        await expectStatus(refresh(process, other.refreshToken), 401);
        await expectStatus(me(process, tokens.accessToken), 200);
      },
    });
  });

  it.each([['deactivateAccount'], ['eraseAccount']])('of %s leaves an account that is whole or has ended', async (operation) => {
    await everyCrash(store, {
      prepare: signUp,
      act: (process, { tokens }) => process.call(operation, { token: tokens.accessToken, body: { password } }),
      check: async (process, { username, tokens }, answer) => {
        await process.work('auth-revocations');
        const alive = (await login(process, username)).status === 200;
        if (answer.status === 204) expect(alive).toBe(false);
        await expectStatus(me(process, tokens.accessToken), alive ? 200 : 401);
        if (alive) await expectStatus(process.call(operation, { token: tokens.accessToken, body: { password } }), 204);
        await expectStatus(login(process, username), 401);
        await expectStatus(refresh(process, tokens.refreshToken), 401);
        await expectStatus(me(process, tokens.accessToken), 401);
        await expectStatus(process.call('register', { body: { username, password } }), 409);
      },
    });
  });

  it('of the erasing itself goes on where it stopped', async () => {
    const writes = await everyCrash(store, {
      prepare: async (process) => {
        const user = await signUp(process);
        await expectStatus(process.call('eraseAccount', { token: user.tokens.accessToken, body: { password } }), 204);
        return user;
      },
      act: async (process, { id }) => {
        try {
          await process.auth.api.erased(id);
          return { status: 204, body: {}, headers: {} };
        } catch {
          return { status: 503, body: {}, headers: {} };
        }
      },
      check: async (process, { username, id, tokens }) => {
        for (const { userId } of await process.auth.api.usersToErase(100)) await process.auth.api.erased(userId);
        expect(await process.auth.api.usersToErase(100)).toEqual([]);
        await expect(process.auth.api.personalData(id)).rejects.toMatchObject({ code: 'not-found' });
        const next = await signUp(process, username);
        expect(next.id).not.toBe(id);
        await process.auth.api.erased(id);
        await expectStatus(login(process, username), 200);
        await expectStatus(refresh(process, tokens.refreshToken), 401);
      },
    });
    expect(writes).toBe(4);
  });
});

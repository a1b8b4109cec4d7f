import { type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';

const password = 'a fine long password';
const settings = (username: string, word = password) => ({
  passwordMinLength: 12,
  bcryptCost: 4,
  admin: { username, password: word },
});

let store: AuthProcesses;
beforeEach(async () => {
  store = await openAuthProcesses();
});
afterEach(() => store.close());

const start = async (username: string, word?: string) => {
  const process = await store.start({ settings: settings(username, word) });
  await process.auth.start();
  return process;
};
const login = async (username: string, word = password) => {
  const process = await store.start();
  return (await process.call('login', { body: { username, password: word } })).body;
};

describe('the first admin', () => {
  it('is made when there is none', async () => {
    await start('root');
    expect((await login('root')).user).toMatchObject({ username: 'root', roles: ['admin'] });
  });

  it('is made once by processes that start together', async () => {
    const processes = await Promise.all(Array.from({ length: 4 }, () => store.start({ settings: settings('root') })));
    await Promise.all(processes.map((process) => process.auth.start()));
    const { accessToken } = await login('root');
    const { body } = (await processes[0]?.call('listUsers', { token: accessToken })) ?? {};
    expect(body.data).toHaveLength(1);
  });

  it('is not replaced or given another password by a later start', async () => {
    await start('root');
    await start('root', 'some other password');
    await start('other.root');
    expect((await login('root')).user.username).toBe('root');
    expect((await login('root', 'some other password')).code).toBe('invalid-credentials');
    expect((await login('other.root')).code).toBe('invalid-credentials');
  });

  it('is never an existing user: the start is refused and says why', async () => {
    const process = await store.start();
    await process.call('register', { body: { username: 'Mallory', password } });
    await expect(start('mallory')).rejects.toThrow(/ADMIN_USERNAME names the user Mallory, who exists and is no admin/);
    expect((await login('mallory')).user.roles).toEqual(['customer']);
  });

  it.each([
    ['ADMIN_USERNAME', 'no', password],
    ['ADMIN_PASSWORD', 'root', 'short'],
    ['ADMIN_PASSWORD', 'root', 'administrator'],
    ['ADMIN_PASSWORD', 'root', 'long'.repeat(50)],
  ])('is refused with the name of the setting %s when it breaks a rule', async (setting, username, word) => {
    await expect(start(username, word)).rejects.toThrow(new RegExp(`^${setting} `));
    await expect(start(username, word)).rejects.not.toThrow(new RegExp(word));
  });

  it('is there after a start that died anywhere', async () => {
    for (const crash of ['crash before', 'crash after'] as const) {
      for (let write = 1; write <= 3; write++) {
        const shop = await openAuthProcesses();
        let offset = 0;
        try {
          const dying = await shop.start({ settings: settings('root') });
          dying.plan((request) => (request.write === write ? crash : 'go on'));
          await expect(dying.auth.start()).rejects.toMatchObject({ code: 'unavailable' });
          offset = 61_000;
          const next = await shop.start({ settings: settings('root'), now: () => Date.now() + offset });
          await next.auth.start();
          const { body } = await next.call('login', { body: { username: 'root', password } });
          expect(
            (await next.call(`setRoles ${body.user.id}`, { token: body.accessToken, body: { roles: ['customer'] } })).body.code,
          ).toBe('last-admin');
        } finally {
          await shop.close();
        }
      }
    }
  });
});

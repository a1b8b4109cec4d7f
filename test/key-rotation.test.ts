import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeJwtKey, makeRefreshKey } from '../src/modules/auth/index.ts';
import { pemBlocks } from '../src/shared/pem-blocks.ts';
import { type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';

const [oldKey, newKey] = [makeJwtKey(), makeJwtKey()];
const [oldSecret, newSecret] = [makeRefreshKey(), makeRefreshKey()];
const password = 'a fine long password';

let store: AuthProcesses;
beforeAll(async () => {
  store = await openAuthProcesses();
});
afterAll(() => store.close());

const start = (jwtPrivateKeys: readonly string[], refreshKeys: readonly string[]) =>
  store.start({ keys: { jwtPrivateKeys, refreshKeys, passwordPepper: 'pepper of the tests' } });
let counter = 0;
const signUp = async (process: AuthProcess) => {
  counter += 1;
  return (await process.call('register', { body: { username: `rotated.${counter}`, password } })).body;
};

/** What the setting is at each step of a rotation. */
const access = [[oldKey], [oldKey, newKey], [newKey, oldKey], [newKey]];
const refresh = [[oldSecret], [oldSecret, newSecret], [newSecret, oldSecret], [newSecret]];

describe('two processes at neighbouring steps of a rotation', () => {
  it.each([0, 1, 2])('%d and the next take each other’s access tokens', async (step) => {
    const [here, there] = [await start(access[step] ?? [], [oldSecret]), await start(access[step + 1] ?? [], [oldSecret])];
    const tokens = [(await signUp(here)).accessToken, (await signUp(there)).accessToken];
    // those that were made by the key which is retired last have ended: the step waits for that
    const alive = step === 2 ? tokens.slice(1) : tokens;
    for (const token of alive)
      for (const process of [here, there]) expect((await process.call('getAccount', { token })).status).toBe(200);
  });

  it.each([0, 1, 2])('%d and the next refresh each other’s sessions', async (step) => {
    const [here, there] = [await start([oldKey], refresh[step] ?? []), await start([oldKey], refresh[step + 1] ?? [])];
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      const { refreshToken } = await signUp(from);
      const second = await to.call('refresh', { body: { refreshToken } });
      expect(second.status).toBe(200);
      const third = await from.call('refresh', { body: { refreshToken: second.body.refreshToken } });
      expect(third.status).toBe(200);
    }
  });

  it('must not skip a step: a process then does not know the key of another', async () => {
    const [here, there] = [await start([oldKey], [oldSecret]), await start([newKey, oldKey], [newSecret, oldSecret])];
    const { accessToken, refreshToken } = await signUp(there);
    expect((await here.call('getAccount', { token: accessToken })).status).toBe(401);
    expect((await here.call('refresh', { body: { refreshToken } })).status).toBe(401);
  });

  it('refuse a key that nobody knows without asking the store', async () => {
    const [here, there] = [await start([oldKey], [oldSecret]), await start([newKey], [newSecret])];
    const { accessToken, refreshToken } = await signUp(there);
    await here.work('auth-revocations');
    let asked = 0;
    here.pause = async () => {
      asked += 1;
    };
    expect((await here.call('getAccount', { token: accessToken })).status).toBe(401);
    expect((await here.call('refresh', { body: { refreshToken } })).status).toBe(401);
    expect(asked).toBe(0);
  });
});

describe('npm run keys', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const keys = (env: Readonly<Record<string, string>>, ...given: readonly string[]) => {
    const command = [join('src', 'commands', 'keys.ts'), ...given];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...env },
    });
    return { status, stdout, stderr };
  };

  it('takes a file of signing keys through the three steps', () => {
    const file = join(folder, 'jwt.pem');
    writeFileSync(file, oldKey);
    const env = { JWT_PRIVATE_KEYS: `file:${file}` };
    const present = () => pemBlocks(readFileSync(file, 'utf8')).map((block) => block.trim());
    const shown = keys(env, 'rotate');
    expect(shown).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('Next: add.') });
    expect(present()).toEqual([oldKey.trim()]);

    const added = keys(env, 'rotate', 'add');
    expect(added).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('rotate promote') });
    const [first, second = ''] = present();
    expect(first).toBe(oldKey.trim());
    expect(keys(env, 'rotate', 'promote').stderr).toContain('wait 15 minutes');
    expect(present()).toEqual([second, oldKey.trim()]);
    expect(keys(env, 'rotate', 'retire').status).toBe(0);
    expect(present()).toEqual([second]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const { stderr } of [shown, added]) expect(stderr).not.toContain('PRIVATE KEY');

    expect(keys(env, 'rotate', 'retire')).toMatchObject({ status: 1, stderr: expect.stringContaining('only one key') });
    expect(present()).toEqual([second]);
  });

  it('says what to set where the setting is the text itself', () => {
    const env = { REFRESH_KEYS: `${oldSecret},${newSecret}` };
    const { stdout, stderr, status } = keys(env, 'rotate', 'promote', '--refresh');
    expect({ stdout, status }).toEqual({ stdout: `${newSecret},${oldSecret}\n`, status: 0 });
    expect(stderr).toContain('wait 30 days');
    expect(stderr).not.toContain(newSecret);
    expect(keys(env, 'rotate', 'retire', '--refresh').stdout).toBe(`${oldSecret}\n`);
  });

  it('rotates what the shop made for itself', () => {
    writeFileSync(join(folder, 'refresh-key'), oldSecret);
    expect(keys({ DATA_DIR: folder }, 'rotate', 'add', '--refresh').status).toBe(0);
    expect(readFileSync(join(folder, 'refresh-key'), 'utf8')).toMatch(new RegExp(`^${oldSecret},[\\w-]{64}\n$`));
  });

  it.each([[[]], [['rotate', 'add', 'twice']], [['rotate', 'drop']], [['list']]])('knows nothing else: %j', (given) => {
    expect(keys({}, ...given)).toMatchObject({ status: 1, stderr: expect.stringContaining('usage:') });
  });
});

import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeJwtKey, makeRefreshKey } from '../src/modules/auth/index.ts';
import { replaceFile } from '../src/shared/data-folder.ts';
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
    writeFileSync(file, oldKey, { mode: 0o600 });
    const env = { JWT_PRIVATE_KEYS: `file:${file}` };
    const present = () => pemBlocks(readFileSync(file, 'utf8'), file).map((block) => block.trim());
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

  it('leaves a file alone that holds a key of another form, which the new one would not', () => {
    const file = join(folder, 'jwt.pem');
    const text = `${oldKey}${createPrivateKey(newKey).export({ type: 'pkcs1', format: 'pem' })}`;
    writeFileSync(file, text);
    for (const step of ['add', 'promote', 'retire'])
      expect(keys({ JWT_PRIVATE_KEYS: `file:${file}` }, 'rotate', step)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^JWT_PRIVATE_KEYS holds a PEM block that is no whole PKCS#8 private key/),
      });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  const isRoot = process.getuid?.() === 0;
  it('leaves a file where it is, to whom it is, and as open as it was, behind a symbolic link too', () => {
    const [file, link] = [join(folder, 'jwt.pem'), join(folder, 'link.pem')];
    writeFileSync(file, oldKey);
    chmodSync(file, 0o640);
    // only root gives a file away
    const owner = isRoot ? { uid: 12_345, gid: 23_456 } : statSync(file);
    chownSync(file, owner.uid, owner.gid);
    symlinkSync('jwt.pem', link);
    expect(keys({ JWT_PRIVATE_KEYS: `file:${link}` }, 'rotate', 'add')).toMatchObject({ status: 0 });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(pemBlocks(readFileSync(file, 'utf8'), file)).toHaveLength(2);
    const { uid, gid, mode } = statSync(file);
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: owner.uid, gid: owner.gid, mode: 0o640 });
  });

  const leftOut = isRoot ? '' : ', left out: only root can be somebody else';
  const describeAsRoot = isRoot ? describe : describe.skip;
  describeAsRoot(`by somebody else${leftOut}`, () => {
    it('changes nothing when it can not leave the file to its owner', () => {
      // a place that everybody gets into, which TMPDIR need not be
      const open = mkdtempSync('/tmp/keys-');
      chmodSync(open, 0o777);
      const file = join(open, 'refresh-key');
      writeFileSync(file, oldSecret, { mode: 0o644 });
      process.seteuid?.(12_345);
      try {
        expect(() => replaceFile(file, newSecret)).toThrow(`${file} can not be left to its owner and group (0:0)`);
      } finally {
        process.seteuid?.(0);
      }
      expect(readFileSync(file, 'utf8')).toBe(oldSecret);
      expect(readdirSync(open)).toEqual(['refresh-key']);
      rmSync(open, { recursive: true });
    });
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

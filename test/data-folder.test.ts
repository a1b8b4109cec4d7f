import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataFolder } from '../src/shared/data-folder.ts';
import { type Child, runChild, temporaryFolder } from './child-process.ts';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

const server = (folder: string): Child =>
  runChild(`
    const { openDataFolder } = await shared('data-folder.ts');
    try {
      openDataFolder(${JSON.stringify(folder)});
      console.log('open');
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.message);
    }
  `);

describe('the data folder', () => {
  const temporary = temporaryFolder();
  const folder = join(temporary.path, 'nested', 'data');
  afterAll(() => temporary.remove());

  it('is made for its owner alone', () => {
    const data = openDataFolder(folder);
    expect(data.path).toBe(folder);
    expect(mode(folder)).toBe('700');
    expect(mode(join(folder, 'server.lock'))).toBe('600');
    data.close();
  });

  it('is shut when it was open to others, also behind a symbolic link', () => {
    const open = join(temporary.path, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const link = join(temporary.path, 'link');
    symlinkSync(open, link);
    const data = openDataFolder(link);
    expect(data.path).toBe(open);
    expect(mode(open)).toBe('700');
    data.close();
  });

  it('says so when it can not be made', () => {
    const file = join(temporary.path, 'a-file');
    writeFileSync(file, '');
    expect(() => openDataFolder(join(file, 'data'))).toThrow(`the data folder ${join(file, 'data')} can not be made`);
  });

  it('refuses a second server in the same process until the first closes', () => {
    const first = openDataFolder(folder);
    expect(() => openDataFolder(folder)).toThrow(`another server is using the data folder ${folder}`);
    first.close();
    first.close();
    openDataFolder(folder).close();
  });

  it('refuses a second server while the first lives, and lets it in after kill -9', async () => {
    const first = server(folder);
    expect(await first.line()).toBe('open');
    const second = server(folder);
    expect((await second.rest()).lines).toEqual([`another server is using the data folder ${folder}`]);
    expect(() => openDataFolder(folder)).toThrow('another server');
    await first.kill();
    const third = server(folder);
    expect(await third.line()).toBe('open');
    await third.kill();
  });
});

describe('a secret in the data folder', () => {
  const temporary = temporaryFolder();
  const data = openDataFolder(temporary.path);
  afterAll(() => {
    data.close();
    temporary.remove();
  });

  it('is made once and kept for its owner alone', () => {
    expect(data.keep('pepper', () => 'first')).toBe('first');
    expect(data.keep('pepper', () => 'second')).toBe('first');
    expect(readFileSync(join(temporary.path, 'pepper'), 'utf8')).toBe('first');
    expect(mode(join(temporary.path, 'pepper'))).toBe('600');
  });

  it('is shut when it was readable for others', () => {
    writeFileSync(join(temporary.path, 'shown'), 'first', { mode: 0o644 });
    expect(data.keep('shown', () => 'second')).toBe('first');
    expect(mode(join(temporary.path, 'shown'))).toBe('600');
  });

  it('is made anew when a crash left half of one', () => {
    writeFileSync(join(temporary.path, 'keys.new'), 'hal', { mode: 0o644 });
    expect(data.keep('keys', () => 'whole')).toBe('whole');
    expect(mode(join(temporary.path, 'keys'))).toBe('600');
    expect(existsSync(join(temporary.path, 'keys.new'))).toBe(false);
  });

  it('leaves nothing when it can not be made', () => {
    const before = readdirSync(temporary.path);
    expect(() =>
      data.keep('broken', () => {
        throw new Error('no luck');
      }),
    ).toThrow('no luck');
    expect(readdirSync(temporary.path)).toEqual(before);
  });

  it('is never taken for given when its file is empty', () => {
    writeFileSync(join(temporary.path, 'empty'), '\n');
    expect(() => data.keep('empty', () => 'new')).toThrow('is empty');
  });

  it('stays inside the folder', () => {
    for (const name of ['../pepper', 'a/b', '..', '.hidden', '/etc/passwd'])
      expect(() => data.keep(name, () => 'x')).toThrow('not a file name');
  });
});

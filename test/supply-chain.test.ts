import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Lockfile, lockfileFaults, manifestFaults, versionFaults } from '../.ci/lockfile-rules.ts';

const read = (name: string) => JSON.parse(readFileSync(name, 'utf8'));
const lockfile: Lockfile = read('package-lock.json');
const minimum = read('.ci/minimum-versions.json');
const integrity = `sha512-${'A'.repeat(86)}==`;
const locked = (path: string, more: object) => ({
  lockfileVersion: 3,
  packages: { [path]: { version: '1.0.0', integrity, ...more } },
});

describe('S-05 what is installed', () => {
  it('is what the rules allow', () => {
    expect(lockfileFaults(lockfile)).toEqual([]);
    expect(manifestFaults(read('package.json'))).toEqual([]);
    expect(versionFaults(lockfile, minimum)).toEqual([]);
    expect(Object.keys(lockfile.packages).length).toBeGreaterThan(500);
  });

  it('is part of `npm run check`', () => {
    expect(read('package.json').scripts.check).toContain('npm run -s lockfile');
    const { stdout, status } = spawnSync(process.execPath, ['.ci/check-lockfile.ts'], { encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: expect.stringMatching(/^lockfile: \d{3,} packages, 0 faults\n$/), status: 0 });
  });

  it.each([
    ['without a hash', locked('node_modules/a', { integrity: undefined })],
    ['with a weak hash', locked('node_modules/a', { integrity: 'sha1-qUqP5cyxm6YcTAhz05Hph5gvu9M=' })],
    ['from another host', locked('node_modules/a', { resolved: 'https://registry.example/a/-/a-1.0.0.tgz' })],
    ['without encryption', locked('node_modules/a', { resolved: 'http://registry.npmjs.org/a/-/a-1.0.0.tgz' })],
    ['from git', locked('node_modules/a', { resolved: 'git+ssh://git@github.com/a/a.git#abc', integrity: undefined })],
    ['from a folder', locked('packages/a', {})],
    ['by a link', locked('node_modules/a', { link: true })],
    ['of no version', locked('node_modules/a', { version: 'file:../a' })],
    ['in an old format', { ...locked('node_modules/a', {}), lockfileVersion: 1 }],
    ['not at all', { lockfileVersion: 3, packages: { '': {} } }],
  ])('is refused %s', (_how, wrong) => {
    expect(lockfileFaults(wrong)).not.toEqual([]);
  });

  it('may come from the registry by its name', () => {
    expect(lockfileFaults(locked('node_modules/a', { resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' }))).toEqual([]);
  });

  it('is asked for by exact versions', () => {
    for (const version of [
      '^1.0.0',
      '*',
      'latest',
      '1.x',
      'git+https://example.org/a.git',
      'file:../a',
      'npm:b@1.0.0',
      '>=1.0.0',
    ])
      expect(manifestFaults({ dependencies: { a: version } })).toHaveLength(1);
  });

  it('is not below a version with a known hole, wherever it is nested', () => {
    for (const version of ['8.3.9', '7.9.9', '8.4.0-beta.1'])
      expect(versionFaults(locked('node_modules/express/node_modules/path-to-regexp', { version }), minimum)).toHaveLength(1);
    for (const version of ['8.4.0', '8.10.0', '9.0.0'])
      expect(versionFaults(locked('node_modules/path-to-regexp', { version }), minimum)).toEqual([]);
  });

  it('has a minimum for packages that are there', () => {
    const names = Object.keys(lockfile.packages).map((path) =>
      path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    );
    expect(Object.keys(minimum).filter((name) => !names.includes(name))).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from './child-process.ts';

/** A machine where neither MariaDB nor Java is installed. */

const folder = temporaryFolder();
afterAll(() => folder.remove());

const runOf = (suite: string, env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [join('node_modules', 'jest', 'bin', 'jest.js'), suite], {
    env: { PATH: folder.path, ...env },
    encoding: 'utf8',
  });

describe('without the programs of the services', () => {
  it('a run passes, and says what is missing and what did not run for it', () => {
    const { status, stderr } = runOf('/fifo-gate.test');
    expect(status).toBe(0);
    expect(stderr).toMatch(/Missing programs:\n {2}mariadbd .*mariadb-server.*\n {2}java.*default-jre-headless/);
    expect(stderr).toMatch(/did not run on MariaDB and DynamoDB Local:\n(?: {2}.+\n)* {2}placing-orders\n/);
  });

  it('a run that requires them fails with their names', () => {
    const { status, stderr } = runOf('/exact-names.test', { REQUIRE_SERVICES: 'true' });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/mariadbd is missing .*java.* is missing/);
  });
});

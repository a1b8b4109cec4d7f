import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite } from '../src/shared/database.ts';
import { migrate } from '../src/shared/migrations.ts';
import { temporaryFolder } from './child-process.ts';
import { startServer } from './harness/server-process.ts';

/** `npm run audit` on embedded storage: what it says, and its exit code. */

const folder = temporaryFolder();
afterAll(() => folder.remove());

const audit = (dataDir = folder.path, settings = {}) =>
  spawnSync(process.execPath, [join('src', 'commands', 'audit.ts')], {
    env: { DATA_DIR: dataDir, ...settings },
    encoding: 'utf8',
  });

async function shopWithoutUsers(name: string): Promise<string> {
  const dataDir = join(folder.path, name);
  mkdirSync(dataDir);
  const db = await openSqlite({ file: join(dataDir, 'shop.sqlite') });
  await migrate(db);
  await db.close();
  return dataDir;
}

describe('npm run audit', () => {
  it('leaves the users to a running server, and says so', async () => {
    const server = await startServer({ DATA_DIR: folder.path });
    const { status, stdout } = audit();
    expect(await server.kill('SIGTERM')).toBe(0);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^I-08, I-15, I-31 {2}left out: another server .*AUDIT_INTERVAL_SECONDS/m);
    expect(stdout).not.toMatch(/^I-08 {2}clean/m);
  });

  it('looks at everything when nobody has the folder, and says how much that was', () => {
    const { status, stdout } = audit();
    expect(status).toBe(0);
    for (const invariant of ['I-01', 'I-08', 'I-17', 'I-31']) expect(stdout).toMatch(new RegExp(`^${invariant} {2}clean: `, 'm'));
    expect(stdout).toMatch(
      /^0 findings; looked at 0 products, 0 movements, .* 0 closed days, .* 1 users, 1 usernames, .* in \d+\.\d s$/m,
    );
  });

  it('ends with 2 when it can not look at the users, unless a server that runs does', async () => {
    const shut = await shopWithoutUsers('shut');
    mkdirSync(join(shut, 'dynamo'));
    mkdirSync(join(shut, 'server.lock'));
    expect(audit(shut)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('can not be locked') });
    rmSync(join(shut, 'dynamo'), { recursive: true });
    const elsewhere = { status: 2, stdout: '', stderr: expect.stringMatching(/^There is no store of users in .*AWS_REGION/) };
    expect(audit(shut)).toMatchObject(elsewhere);
    expect(audit(join(folder.path, 'nothing'), { MYSQL_URL: 'mysql://127.0.0.1:9/shop' })).toMatchObject(elsewhere);
  });

  it('leaves the users to another service where MODULES says so', async () => {
    const here = await shopWithoutUsers('here');
    const { status, stdout } = audit(here, {
      MODULES: 'catalog,orders',
      AUTH_URL: 'http://auth:4000',
      JWKS_URL: 'http://auth:3000/.well-known/jwks.json',
      SERVICE_TOKENS: 'one that nobody asks for',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^I-08, I-15, I-31 {2}left out: auth is not one of the MODULES/m);
  });

  it('names what is broken and ends with 1', async () => {
    const db = await openSqlite({ file: join(folder.path, 'shop.sqlite') });
    await db.run("INSERT INTO catalog_stock (product_id, on_hand, reserved, version) VALUES ('lamp', 1, 0, 1)");
    await db.close();
    const { status, stdout } = audit();
    expect(status).toBe(1);
    expect(stdout).toContain('I-01  product lamp: has 1 on hand, its movements add up to 0\n');
    expect(stdout).toMatch(/^2 findings; looked at 1 products, /m);
  });

  it('ends with 2 where there is no shop', () => {
    expect(audit(join(folder.path, 'nothing'))).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('There is no shop'),
    });
  });
});

import { deepEqual, equal, rejects } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Server } from '../../test/harness/server-child.ts';
import { awkwardPassword, containersOf } from './containers.ts';
import { synthesize } from './synthesized.ts';

const root = join(import.meta.dirname, '..', '..');
const mysql = createRequire(join(root, 'package.json'))('mysql2/promise');
/** The rights on users are those of another store. */
const usersElsewhere = {
  MODULES: 'catalog,orders',
  AUTH_URL: 'http://auth.test',
  JWKS_URL: 'http://auth.test/jwks',
  SERVICE_TOKENS: 'a service token of this test, long enough',
};
const isMissing = spawnSync('mariadbd', ['--version']).status !== 0 && process.env.REQUIRE_SERVICES !== 'true';

describe('the migration task on a database', { skip: isMissing && 'mariadb-server is not installed' }, () => {
  const servers: Server[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'shop-grant-'));
  const container = containersOf(synthesize('prod').template('service')).get('migration/grant');
  /** may give rights to others, as the owner of an Aurora cluster may */
  let rootUrl: string;
  let ownerUrl: URL;
  let userUrl: URL;

  before(async () => {
    const { startMariaDb } = await import('../../test/harness/mariadb.ts');
    const { TEST_MYSQL_URL } = await startMariaDb(join(folder, 'mariadb'), servers);
    ownerUrl = new URL(`${TEST_MYSQL_URL}/shop`);
    userUrl = new URL(ownerUrl);
    userUrl.username = 'reader';
    userUrl.password = encodeURIComponent(awkwardPassword);
    const socket = encodeURIComponent(join(folder, 'mariadb', 'socket'));
    rootUrl = `mysql://root:${ownerUrl.password}@localhost/?socketPath=${socket}`;
    await asRoot('CREATE DATABASE shop');
  });
  after(async () => {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes the user of the shop, any number of times, and changes no password that rotation has set', async () => {
    grant(awkwardPassword);
    grant('another password of another day');
    const users = await asRoot("SELECT user AS name, ssl_type AS tls FROM mysql.user WHERE user = 'reader'");
    deepEqual(users, [{ name: 'reader', tls: 'ANY' }]);
    // The server of this test has no certificate.
    await asRoot("ALTER USER 'reader'@'%' REQUIRE NONE");
    deepEqual(await asUser('SELECT 1 AS one'), [{ one: 1 }]);
  });

  it('lets that user do what the shop does with rows, and leave the schema alone', async () => {
    run(['src/commands/migrate.ts'], ownerUrl);
    equal(run(['src/commands/events.ts', 'dead-letters', 'list'], userUrl).trim(), 'no dead letters');
    equal(run(['src/commands/audit.ts'], userUrl, usersElsewhere).includes('clean'), true);
    for (const statement of ['DROP TABLE orders_claims', 'CREATE TABLE t (id INT)', 'ALTER TABLE orders_claims ADD c INT'])
      await rejects(asUser(statement), /command denied/, statement);
    await rejects(asUser('SELECT user FROM mysql.user'), /denied/);
  });

  function grant(password: string): void {
    const [, , script = ''] = container?.Command ?? [];
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      env: { PATH: process.env.PATH, MYSQL_URL: rootUrl, GRANTEE_USER: 'reader', GRANTEE_PASSWORD: password, SCHEMA: 'shop' },
    });
  }

  function run(argv: readonly string[], url: URL, settings: Readonly<Record<string, string>> = {}): string {
    return execFileSync(process.execPath, argv, {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, MYSQL_URL: url.href, ...settings },
    });
  }

  const asRoot = (statement: string) => answerOf(rootUrl, statement);
  const asUser = (statement: string) => answerOf(userUrl.href, statement);
});

async function answerOf(url: string, statement: string): Promise<unknown> {
  const connection = await mysql.createConnection(url);
  try {
    const [rows] = await connection.query(statement);
    return Array.isArray(rows) ? rows.map((row: object) => ({ ...row })) : undefined;
  } finally {
    await connection.end();
  }
}

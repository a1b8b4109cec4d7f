import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { addColumn, columnTypes, createTable } from '../src/shared/column-types.ts';
import { readConfig } from '../src/shared/config.ts';
import { openDataFolder } from '../src/shared/data-folder.ts';
import { type Database, isCheckViolation, isDuplicateKey, openMysql } from '../src/shared/database.ts';
import { migrate, pendingMigrations, undoLastMigration } from '../src/shared/migrations.ts';
import { temporaryFolder } from './child-process.ts';
import { eventually } from './harness/eventually.ts';
import { openStore } from './harness/stores.ts';

const steps = readdirSync(join(import.meta.dirname, '..', 'migrations'))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort();

let db: Database;
let close: () => Promise<void>;
beforeEach(async () => {
  ({ db, close } = await openStore());
});
afterEach(() => close());

describe('migrating', () => {
  it('runs every step once, in order, and says which', async () => {
    expect(await pendingMigrations(db)).toEqual(steps);
    expect(await migrate(db)).toEqual(steps);
    expect(await pendingMigrations(db)).toEqual([]);
    expect(await migrate(db)).toEqual([]);
  });

  it('undoes the last step, down to the first, and runs all again', async () => {
    await migrate(db);
    for (const name of steps.toReversed()) expect(await undoLastMigration(db)).toBe(name);
    expect(await undoLastMigration(db)).toBeUndefined();
    expect(await tablesOf(db)).toEqual(['shop_migrations']);
    expect(await migrate(db)).toEqual(steps);
  });

  it('asked what is pending changes nothing', async () => {
    await pendingMigrations(db);
    expect(await tablesOf(db)).toEqual([]);
  });

  it('goes on after a step that died between its work and its record', async () => {
    await migrate(db);
    await db.run("DELETE FROM shop_migrations WHERE name >= '0003'");
    expect(await pendingMigrations(db)).toEqual(steps.filter((name) => name >= '0003'));
    expect(await migrate(db)).toEqual(steps.filter((name) => name >= '0003'));
  });

  it('leaves steps alone that a newer version has run', async () => {
    await migrate(db);
    await db.run("INSERT INTO shop_migrations (name) VALUES ('9999-from-the-future')");
    expect(await migrate(db)).toEqual([]);
    expect(await pendingMigrations(db)).toEqual([]);
  });

  it('runs each step once when several processes start together', async () => {
    const others =
      db.dialect === 'mysql' ? await Promise.all(Array.from({ length: 9 }, () => openMysql({ url: urlOf(db) }))) : [];
    const ran = await Promise.allSettled([db, ...others].map((process) => migrate(process)));
    await Promise.all(others.map((other) => other.close()));
    expect(ran.flatMap((each) => (each.status === 'fulfilled' ? each.value : [String(each.reason)]))).toEqual(steps);
  });
});

it('a shop is not ready before somebody has migrated its database, and then by itself', async () => {
  if (db.dialect === 'sqlite') return;
  const folder = temporaryFolder();
  const config = readConfig({ DATA_DIR: folder.path, MYSQL_URL: urlOf(db), BCRYPT_COST: '4' });
  const app = await createApp({ config, log: pino({ level: 'silent' }) });
  await app.start();
  const url = `http://127.0.0.1:${await app.http.listen({ port: 0, host: '127.0.0.1' })}`;
  const ready = async () => {
    const answer = await fetch(`${url}/readyz`);
    return { status: answer.status, body: await answer.text() };
  };
  expect(await ready()).toMatchObject({ status: 503, body: expect.stringContaining('migrations') });
  await migrate(db);
  await eventually(async () => expect(await ready()).toMatchObject({ status: 200 }));
  await app.http.drain({ delayMs: 0, timeoutMs: 1000 });
  await app.close();
  folder.remove();
});

describe('npm run migrate', () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join('src', 'commands', 'migrate.ts'), ...args], {
      env: { DATA_DIR: folder.path },
      encoding: 'utf8',
    });

  it('says what it ran and undid', () => {
    expect(run()).toMatchObject({ status: 0, stdout: steps.map((name) => `run: ${name}\n`).join('') });
    expect(run()).toMatchObject({ status: 0, stdout: 'nothing to do\n' });
    expect(run('down')).toMatchObject({ status: 0, stdout: `undone: ${steps.at(-1)}\n` });
    expect(run('up')).toMatchObject({ status: 0, stdout: `run: ${steps.at(-1)}\n` });
    expect(run('sideways')).toMatchObject({ status: 1, stderr: expect.stringContaining('usage') });
  });

  it('keeps away from the data of a running server', () => {
    const server = openDataFolder(folder.path);
    expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('another server') });
    server.close();
  });
});

describe('the tables of a step', () => {
  it('compare what names something exactly, and count and check what is written', async () => {
    const { id, ascii, exact, time, big, int } = columnTypes(db.dialect);
    const table = {
      name: 'sample_things',
      columns: [
        `id ${id} NOT NULL PRIMARY KEY`,
        `code ${exact(10)} NULL`,
        `kind ${ascii(5)} NULL`,
        `at ${time} NULL`,
        `many ${big} NULL`,
        `few ${int} NULL`,
        'CONSTRAINT sample_few CHECK (few > 0)',
      ],
      unique: { sample_things_code: 'code' },
      indexes: { sample_things_kind: 'kind, at' },
    };
    await createTable(db, table);
    await createTable(db, table);
    const insert = 'INSERT INTO sample_things (id, code, kind, at, many, few) VALUES (?, ?, ?, ?, ?, ?)';
    await db.run(insert, ['1', 'ä', 'x', '2026-01-02 03:04:05.678', 9_007_199_254_740_991, 1]);
    for (const [n, code] of ['Ä', 'a', 'A'].entries()) await db.run(insert, [`${n + 2}`, code, null, null, null, 1]);
    const duplicate = await db.run(insert, ['9', 'ä', null, null, null, 1]).catch((error: unknown) => error);
    expect(isDuplicateKey(duplicate)).toBe(true);
    const refused = await db.run(insert, ['9', 'b', null, null, null, 0]).catch((error: unknown) => error);
    expect(isCheckViolation(refused)).toBe(true);
    const [row] = await db.rows('SELECT * FROM sample_things WHERE code = ?', ['ä']);
    expect(row).toEqual({ id: '1', code: 'ä', kind: 'x', at: '2026-01-02 03:04:05.678', many: 9_007_199_254_740_991, few: 1 });
  });
});

it('a column is added once, however often its step runs, and empty in the rows that are there', async () => {
  await createTable(db, { name: 'sample_things', columns: ['id INTEGER NOT NULL PRIMARY KEY'] });
  await db.run('INSERT INTO sample_things (id) VALUES (1)');
  const column = { table: 'sample_things', column: 'colour', definition: `${columnTypes(db.dialect).exact(10)} NULL` };
  await addColumn(db, column);
  await db.run("INSERT INTO sample_things (id, colour) VALUES (2, 'blue')");
  await addColumn(db, column);
  expect(await db.rows('SELECT id, colour FROM sample_things ORDER BY id')).toEqual([
    { id: 1, colour: null },
    { id: 2, colour: 'blue' },
  ]);
});

async function tablesOf(store: Database): Promise<readonly string[]> {
  const rows = await store.rows<{ name: string }>(
    store.dialect === 'mysql'
      ? 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name'
      : "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
  );
  return rows.map(({ name }) => name);
}

function urlOf({ sequelize }: Database): string {
  const { database, username, password, host, port } = sequelize.config;
  return `mysql://${username}:${password}@${host}:${port}/${database}`;
}

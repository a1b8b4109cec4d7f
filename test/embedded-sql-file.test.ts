import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, isStoreDown, openSqlite } from '../src/shared/database.ts';
import { runChild } from './child-process.ts';
import { type Boxes, failure, openBoxes } from './embedded-database.ts';

let boxes: Boxes;
let db: Database;

beforeAll(async () => {
  boxes = await openBoxes();
  db = boxes.db;
});
beforeEach(() => boxes.reset());
afterAll(() => boxes.remove());

describe('another process', () => {
  const holding = () =>
    runChild(`
      const { DatabaseSync } = await import('node:sqlite');
      const other = new DatabaseSync(${JSON.stringify(boxes.file)});
      other.exec('BEGIN IMMEDIATE; UPDATE box SET pieces = 100');
      console.log('locked');
      process.stdin.once('data', () => {});
    `);

  it('that holds the lock for too long makes a write fail as busy, while reads go on', async () => {
    const impatient = await openSqlite({ file: boxes.file, acquireTimeoutMs: 200 });
    const other = holding();
    expect(await other.line()).toBe('locked');
    expect(await boxes.pieces()).toBe(0);
    const errors = [
      await failure(impatient.run('UPDATE box SET pieces = 1')),
      await failure(impatient.transaction((tx) => tx.run('UPDATE box SET pieces = 1'))),
      await failure(impatient.sequelize.query('UPDATE box SET pieces = 1')),
    ];
    expect(errors.map(isStoreDown)).toEqual([true, true, true]);
    expect(errors[2]).toMatchObject({ name: 'SequelizeTimeoutError' });
    await other.kill();
    await impatient.close();
    await db.run('UPDATE box SET pieces = 2');
    expect(await boxes.pieces()).toBe(2);
  });

  it('that lets go in time is waited for', async () => {
    const other = holding();
    expect(await other.line()).toBe('locked');
    const write = db.run('UPDATE box SET pieces = pieces + 1');
    await other.kill();
    await write;
    expect(await boxes.pieces()).toBe(1);
  });

  it('that writes beside the server waits for a transaction from its beginning, not only for its writes', async () => {
    const other = await openSqlite({ file: boxes.file, acquireTimeoutMs: 15_000 });
    const writes: Promise<number>[] = [];
    await db.transaction(async (tx) => {
      const [box] = await tx.rows<{ pieces: number }>('SELECT pieces FROM box WHERE id = 1');
      writes.push(other.run('UPDATE box SET pieces = pieces + 1'));
      await sleep(20);
      await tx.run('UPDATE box SET pieces = ?', [(box?.pieces ?? 0) + 1]);
    });
    expect(await Promise.all(writes)).toEqual([1]);
    expect(await boxes.pieces()).toBe(2);
    await other.close();
  });

  it('may read beside the server, and only read', async () => {
    const audit = runChild(`
      const { openSqlite } = await shared('database.ts');
      const db = await openSqlite({ file: ${JSON.stringify(boxes.file)}, readOnly: true });
      console.log(JSON.stringify(await db.transaction((tx) => tx.rows('SELECT name FROM box'), { readOnly: true })));
      await db.run('DELETE FROM box').catch((error) => console.log(error.code));
      await db.transaction((tx) => tx.run('DELETE FROM box')).catch((error) => console.log(error.code));
      await db.close();
    `);
    const answer = await db.transaction(async (tx) => {
      await tx.run("UPDATE box SET name = 'not yet'");
      return audit.rest();
    });
    expect(answer).toEqual({ lines: ['[{"name":"first"}]', 'SQLITE_READONLY', 'SQLITE_READONLY'], errors: '' });
  });

  it('killed in the middle of its writes has kept all that it was told is kept', async () => {
    const kept = join(boxes.folder, 'kept.sqlite');
    const writer = runChild(`
      const { openSqlite } = await shared('database.ts');
      const db = await openSqlite({ file: ${JSON.stringify(kept)} });
      await db.run('CREATE TABLE pair (id INTEGER PRIMARY KEY, half INT)');
      const { writeSync } = await import('node:fs');
      let next = 0;
      const client = async () => {
        for (;;) {
          const id = (next += 2);
          await db.transaction(async (tx) => {
            await tx.run('INSERT INTO pair (id, half) VALUES (?, 1)', [id]);
            await tx.run('INSERT INTO pair (id, half) VALUES (?, 2)', [id + 1]);
          });
          writeSync(1, id + '\\n');
        }
      };
      await Promise.all(Array.from({ length: 8 }, client));
    `);
    for (let seen = 0; seen < 200; seen += 1) await writer.line();
    await writer.kill();
    const told = (await writer.rest()).lines.map(Number);
    const after = await openSqlite({ file: kept });
    const ids = new Set((await after.rows<{ id: number }>('SELECT id FROM pair')).map(({ id }) => id));
    await after.close();
    expect(ids.size).toBeGreaterThanOrEqual(400);
    expect(told.filter((id) => !ids.has(id))).toEqual([]);
    expect([...ids].filter((id) => !ids.has(id ^ 1))).toEqual([]);
  });
});

describe('the file', () => {
  it('is for its owner alone, with its log', () => {
    for (const name of [boxes.file, `${boxes.file}-wal`, `${boxes.file}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600);
  });

  it('is written through to the disk at every commit', async () => {
    await db.transaction(async (tx) => {
      expect(await tx.rows('PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
      expect(await tx.rows('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    });
  });

  it('is closed after the transaction under way, and then refuses', async () => {
    const other = await openSqlite({ file: join(boxes.folder, 'closing.sqlite') });
    await other.run('CREATE TABLE note (id INTEGER PRIMARY KEY)');
    const underWay = other.transaction(async (tx) => {
      await sleep(50);
      await tx.run('INSERT INTO note (id) VALUES (1)');
    });
    await sleep(5);
    const late = failure(other.run('INSERT INTO note (id) VALUES (2)'));
    await Promise.all([other.close(), underWay]);
    expect(await late).toMatchObject({ code: 'SQLITE_MISUSE' });
    await expect(other.rows('SELECT id FROM note')).rejects.toThrow('closed');
    const again = await openSqlite({ file: join(boxes.folder, 'closing.sqlite') });
    expect(await again.rows('SELECT id FROM note')).toEqual([{ id: 1 }]);
    await again.close();
  });
});

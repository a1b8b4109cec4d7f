import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommitInDoubt, type Database, isDuplicateKey, isStoreDown } from '../src/shared/database.ts';
import { SqliteConnection } from '../src/shared/sqlite-dialect.ts';
import { SqliteError } from '../src/shared/sqlite-error.ts';
import { SqliteStore } from '../src/shared/sqlite-store.ts';
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

describe('a transaction', () => {
  it('loses nothing when 64 run at once', async () => {
    const addOne = () =>
      db.transaction(async (tx) => {
        const [box] = await tx.rows<{ pieces: number }>('SELECT pieces FROM box WHERE id = 1');
        await sleep(1);
        await tx.run('UPDATE box SET pieces = ? WHERE id = 1', [(box?.pieces ?? 0) + 1]);
      });
    await Promise.all(Array.from({ length: 64 }, addOne));
    expect(await boxes.pieces()).toBe(64);
  });

  it('loses nothing when 64 of Sequelize run at once', async () => {
    const { Box } = boxes;
    const addOne = () =>
      db.sequelize.transaction(async (transaction) => {
        const box = await Box.findByPk(1, { transaction, rejectOnEmpty: true });
        await box.increment('pieces', { transaction });
      });
    await Promise.all(Array.from({ length: 64 }, addOne));
    expect(await boxes.pieces()).toBe(64);
  });

  it('is undone as a whole by a throw, and the next one goes on', async () => {
    const broken = db.transaction(async (tx) => {
      await tx.run("INSERT INTO box (id, name, pieces) VALUES (2, 'second', 1)");
      await boxes.Box.create({ id: 3, name: 'third', pieces: 1 }, { transaction: tx.handle });
      throw new Error('no');
    });
    await expect(broken).rejects.toThrow('no');
    expect(await boxes.names()).toEqual(['first']);
    await db.transaction((tx) => tx.run('UPDATE box SET pieces = 5'));
    expect(await boxes.pieces()).toBe(5);
  });

  it('goes on after a row that a constraint refused', async () => {
    await db.transaction(async (tx) => {
      expect(isDuplicateKey(await failure(tx.run("INSERT INTO box (id, name, pieces) VALUES (2, 'first', 1)")))).toBe(true);
      await tx.run("INSERT INTO box (id, name, pieces) VALUES (2, 'second', 1)");
    });
    expect(await boxes.names()).toEqual(['first', 'second']);
  });

  it('shows its rows to itself and its models, to nobody else before the commit', async () => {
    const { Box } = boxes;
    await db.transaction(async (tx) => {
      await tx.run("INSERT INTO box (id, name, pieces) VALUES (2, 'second', 1)");
      expect(await Box.count({ transaction: tx.handle })).toBe(2);
      expect(await tx.rows('SELECT id FROM box')).toHaveLength(2);
      expect(await Box.count()).toBe(1);
      expect(await boxes.names()).toEqual(['first']);
    });
    expect(await boxes.names()).toEqual(['first', 'second']);
  });

  it('refuses what comes after its end', async () => {
    const ended = await db.transaction(async (tx) => tx);
    await expect(ended.run('UPDATE box SET pieces = 9')).rejects.toThrow('closed');
    await expect(boxes.Box.update({ pieces: 9 }, { where: { id: 1 }, transaction: ended.handle })).rejects.toThrow(
      'commit has been called',
    );
    expect(await boxes.pieces()).toBe(0);
  });

  it('lets the next one write when its connection is closed half way', async () => {
    const transaction = await db.sequelize.transaction();
    await db.sequelize.query("INSERT INTO box (id, name, pieces) VALUES (2, 'second', 1)", { transaction });
    const { connection } = transaction as typeof transaction & { connection: { close(): void } }; // not declared
    connection.close();
    await db.run('UPDATE box SET pieces = 4 WHERE id = 1');
    expect(await boxes.names()).toEqual(['first']);
  });

  it('does not begin when its connection is closed while it waits for its turn', async () => {
    const store = await SqliteStore.open({ file: join(boxes.folder, 'turns.sqlite'), readOnly: false, acquireTimeoutMs: 15_000 });
    const [first, second] = [new SqliteConnection(store, ''), new SqliteConnection(store, '')];
    await first.execute('BEGIN IMMEDIATE');
    const begun = failure(second.execute('BEGIN IMMEDIATE'));
    second.close();
    await first.execute('COMMIT');
    expect(await begun).toMatchObject({ code: 'SQLITE_MISUSE' });
    await store.execute('CREATE TABLE note (id INTEGER PRIMARY KEY)');
    await store.close();
  });

  it('has savepoints for those that Sequelize nests in it', async () => {
    await db.transaction(async (tx) => {
      const inner = db.sequelize.transaction({ transaction: tx.handle }, async (transaction) => {
        await boxes.Box.create({ id: 2, name: 'second', pieces: 1 }, { transaction });
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
      await tx.run('UPDATE box SET pieces = 6');
    });
    expect(await boxes.names()).toEqual(['first']);
    expect(await boxes.pieces()).toBe(6);
  });
});

describe('a transaction inside another one that does not know of it', () => {
  it('fails within its time limit, and the outer one goes on', async () => {
    const impatient = await openBoxes({ acquireTimeoutMs: 200 });
    const { Box } = impatient;
    await impatient.reset();
    await impatient.db.transaction(async (tx) => {
      await tx.run('UPDATE box SET pieces = 1');
      const inner = await failure(impatient.db.transaction((other) => other.run('UPDATE box SET pieces = 2')));
      expect(inner).toMatchObject({ code: 'SQLITE_BUSY', message: expect.stringContaining('no turn to write within 200 ms') });
      expect(isStoreDown(inner)).toBe(true);
      expect(await failure(Box.create({ id: 2 }))).toMatchObject({ name: 'SequelizeTimeoutError' });
      expect(await failure(impatient.db.sequelize.transaction(async () => undefined))).toMatchObject({
        name: 'SequelizeTimeoutError',
      });
    });
    expect(await impatient.pieces()).toBe(1);
    await impatient.db.run('UPDATE box SET pieces = 3');
    expect(await impatient.pieces()).toBe(3);
    await impatient.remove();
  });
});

describe('a transaction that lost a race', () => {
  const race = () => new SqliteError('SQLITE_BUSY', 'database is locked');

  it('runs again as a whole', async () => {
    let runs = 0;
    const answer = await db.transaction(async (tx) => {
      await tx.run('UPDATE box SET pieces = pieces + 1');
      runs += 1;
      if (runs < 3) throw race();
      return 'done';
    });
    expect([answer, runs, await boxes.pieces()]).toEqual(['done', 3, 1]);
  });

  it('gives up after the third repetition', async () => {
    let runs = 0;
    const lost = await failure(
      db.transaction(async () => {
        runs += 1;
        throw race();
      }),
    );
    expect([isStoreDown(lost), runs]).toEqual([true, 4]);
  });

  it('is not run again after any other error', async () => {
    let runs = 0;
    const refused = db.transaction(async () => {
      runs += 1;
      throw new Error('refused');
    });
    await expect(refused).rejects.toThrow('refused');
    expect(runs).toBe(1);
  });
});

describe('a COMMIT that fails', () => {
  it('is a plain error when it certainly did not happen', async () => {
    const refused = await failure(
      db.transaction(async (tx) => {
        await tx.run('PRAGMA defer_foreign_keys = ON');
        await tx.run('INSERT INTO label (id, box_id) VALUES (1, 99)');
      }),
    );
    expect(refused).not.toBeInstanceOf(CommitInDoubt);
    expect(refused).toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
    expect(await db.rows('SELECT id FROM label')).toEqual([]);
    await db.run('UPDATE box SET pieces = 1');
  });

  it('is in doubt when the disk failed on the way, and is not run again', async () => {
    const child = runChild(
      `
      const { openSqlite, CommitInDoubt, isStoreDown } = await shared('database.ts');
      const db = await openSqlite({ file: ${JSON.stringify(join(boxes.folder, 'small.sqlite'))} });
      await db.run('CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)');
      let runs = 0;
      const error = await db.transaction(async (tx) => {
        runs += 1;
        await tx.run('INSERT INTO note (text) VALUES (?)', ['x'.repeat(400000)]);
      }).catch((error) => error);
      console.log(error.name, error instanceof CommitInDoubt, isStoreDown(error), error.cause?.code, runs);
      await db.transaction((tx) => tx.run('INSERT INTO note (text) VALUES (?)', ['small']));
      console.log((await db.rows('SELECT text FROM note')).map((row) => row.text).join());
    `,
      { limitFileSizeBlocks: 200 },
    );
    expect(await child.rest()).toEqual({
      lines: [expect.stringMatching(/^CommitInDoubt true true SQLITE_(IOERR|FULL) 1$/), 'small'],
      errors: '',
    });
  });
});

describe('a disk that fails in the middle of a transaction', () => {
  it('undoes all of it, even when the error is swallowed', async () => {
    const child = runChild(
      `
      const { openSqlite, CommitInDoubt, isStoreDown } = await shared('database.ts');
      const db = await openSqlite({ file: ${JSON.stringify(join(boxes.folder, 'full.sqlite'))} });
      await db.run('CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)');
      const error = await db.transaction(async (tx) => {
        await tx.run('INSERT INTO note (text) VALUES (?)', ['before']);
        await tx.run('INSERT INTO note (text) VALUES (?)', ['x'.repeat(40_000_000)]).catch((error) => console.log(error.code));
        await tx.run('INSERT INTO note (text) VALUES (?)', ['after']).catch((error) => console.log(error.code));
      }).catch((error) => error);
      console.log(error.code, error instanceof CommitInDoubt, isStoreDown(error));
      await db.run('INSERT INTO note (text) VALUES (?)', ['next']);
      console.log((await db.rows('SELECT text FROM note')).map((row) => row.text).join());
    `,
      { limitFileSizeBlocks: 400 },
    );
    expect(await child.rest()).toEqual({
      lines: [expect.stringMatching(/^SQLITE_(IOERR|FULL)$/), 'SQLITE_ABORT', 'SQLITE_ABORT false true', 'next'],
      errors: '',
    });
  });
});

describe('a snapshot', () => {
  it('stays as it was at its beginning, while others write', async () => {
    await db.transaction(
      async (tx) => {
        await db.run('UPDATE box SET pieces = 7');
        expect(await tx.rows('SELECT pieces FROM box')).toEqual([{ pieces: 0 }]);
        expect(await boxes.Box.count({ where: { pieces: 0 }, transaction: tx.handle })).toBe(1);
      },
      { readOnly: true },
    );
    expect(await boxes.pieces()).toBe(7);
  });

  it('refuses to write', async () => {
    const write = db.transaction((tx) => tx.run('UPDATE box SET pieces = 8'), { readOnly: true });
    await expect(write).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
    expect(await boxes.pieces()).toBe(0);
  });

  it('is one of a few: more wait for their turn', async () => {
    const count = () => db.transaction((tx) => tx.rows('SELECT id FROM box'), { readOnly: true });
    expect(await Promise.all(Array.from({ length: 40 }, count))).toHaveLength(40);
  });
});

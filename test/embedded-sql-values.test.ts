import { DatabaseError, ForeignKeyConstraintError, OptimisticLockError, QueryTypes, UniqueConstraintError } from 'sequelize';
import { type Database, isCheckViolation, isDuplicateKey, isStoreDown, placeholders } from '../src/shared/database.ts';
import { fromSql, toSql } from '../src/shared/instant.ts';
import { type Boxes, failure, openBoxes } from './embedded-database.ts';

let boxes: Boxes;
let db: Database;

beforeAll(async () => {
  boxes = await openBoxes();
  db = boxes.db;
});
beforeEach(() => boxes.reset());
afterAll(() => boxes.remove());

describe('errors', () => {
  const cases = [
    {
      what: 'a duplicate value',
      row: { id: 2, name: 'first', pieces: 1 },
      type: UniqueConstraintError,
      question: isDuplicateKey,
    },
    { what: 'a duplicate key', row: { id: 1, name: 'other', pieces: 1 }, type: UniqueConstraintError, question: isDuplicateKey },
    { what: 'a broken CHECK', row: { id: 2, name: 'other', pieces: -1 }, type: DatabaseError, question: isCheckViolation },
    { what: 'a missing value', row: { id: 2, name: 'other', pieces: null }, type: DatabaseError, question: undefined },
  ];
  const questions = [isDuplicateKey, isCheckViolation];

  it.each(cases)('$what is told by models and plain SQL alike', async ({ row, type, question }) => {
    const byModel = await failure(boxes.Box.create(row, { validate: false }));
    expect(byModel).toBeInstanceOf(type);
    const byQuery = await failure(
      db.sequelize.query(`INSERT INTO box (id, name, pieces) VALUES (${row.id}, '${row.name}', ${row.pieces})`),
    );
    const bySql = await failure(db.run('INSERT INTO box (id, name, pieces) VALUES (?, ?, ?)', [row.id, row.name, row.pieces]));
    for (const error of [byModel, byQuery, bySql]) {
      expect(questions.filter((asked) => asked(error))).toEqual(question ? [question] : []);
      expect(isStoreDown(error)).toBe(false);
    }
  });

  it('only a duplicate is a UniqueConstraintError', async () => {
    const error = await failure(boxes.Box.create({ id: 2, name: 'x', pieces: -1 }));
    expect(error).toMatchObject({ name: 'SequelizeDatabaseError', message: expect.stringContaining('CHECK constraint failed') });
  });

  it('a duplicate names its column', async () => {
    const error = await failure(boxes.Box.create({ id: 2, name: 'first', pieces: 1 }));
    expect(error).toMatchObject({ fields: ['name'], errors: [{ path: 'name' }] });
  });

  it('a reference to nothing is a ForeignKeyConstraintError', async () => {
    const error = await failure(db.sequelize.query('INSERT INTO label (id, box_id) VALUES (1, 99)', { type: QueryTypes.INSERT }));
    expect(error).toBeInstanceOf(ForeignKeyConstraintError);
  });

  it('a mistake in the SQL is none of these', async () => {
    const error = await failure(db.rows('SELECT nothing FROM nowhere'));
    expect(error).toMatchObject({ code: 'SQLITE_ERROR' });
    expect([isDuplicateKey(error), isCheckViolation(error), isStoreDown(error)]).toEqual([false, false, false]);
  });

  it('a second statement in one text is refused, not forgotten', async () => {
    await expect(db.run('UPDATE box SET pieces = 1; UPDATE box SET pieces = 2;')).rejects.toThrow('one statement at a time');
    expect(await boxes.pieces()).toBe(0);
  });
});

describe('values', () => {
  it('that would lose digits are refused on the way in and on the way out', async () => {
    await expect(db.run('UPDATE box SET pieces = ?', [2 ** 53])).rejects.toThrow('safe integer');
    await expect(db.run('UPDATE box SET pieces = ?', [1.5])).rejects.toThrow('safe integer');
    await expect(db.sequelize.query('UPDATE box SET pieces = $1', { bind: [2 ** 60] })).rejects.toThrow('2^53');
    await db.run('UPDATE box SET pieces = ?', [Number.MAX_SAFE_INTEGER]);
    expect(await boxes.pieces()).toBe(Number.MAX_SAFE_INTEGER);
    await db.run('UPDATE box SET pieces = pieces + 2');
    await expect(boxes.pieces()).rejects.toThrow('too large');
  });

  it('are scalars: objects and arrays are refused', async () => {
    for (const value of [{ a: 1 }, [1], true, undefined]) {
      // what a caller without types may pass
      const params = [value] as unknown as readonly string[];
      await expect(db.rows('SELECT id FROM box WHERE name = ?', params)).rejects.toThrow('a SQL parameter is');
    }
  });

  it('that are too few or too many are refused, as on MySQL', async () => {
    for (const params of [[], [1], [1, 2, 3]]) {
      await expect(db.run("UPDATE box SET pieces = ?, name = 'why?' WHERE id = ? -- ?", params)).rejects.toMatchObject({
        code: 'SQLITE_RANGE',
      });
    }
    expect(await db.run("UPDATE box SET pieces = ?, name = 'why?' WHERE id = ? -- ?", [1, 1])).toBe(1);
  });

  it('that Sequelize binds arrive as with sqlite3', async () => {
    const bind = [true, new Date(5), 12n, Buffer.from('ab'), 1.5, null];
    const [row] = await db.sequelize.query('SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e, $6 AS f', {
      bind,
      type: QueryTypes.SELECT,
    });
    expect(row).toEqual({ a: 1, b: 5, c: '12', d: Buffer.from('ab'), e: 1.5, f: null });
  });

  it('of time are the same text in plain SQL and in models', async () => {
    const at = new Date('2026-02-03T04:05:06.007Z');
    await db.run('UPDATE box SET at = ?', [toSql(at)]);
    expect(await db.rows('SELECT at FROM box')).toEqual([{ at: '2026-02-03 04:05:06.007' }]);
    const box = await boxes.Box.findByPk(1);
    expect(box?.get('at')).toBe('2026-02-03 04:05:06.007');
    expect(fromSql('2026-02-03 04:05:06.007')).toBe('2026-02-03T04:05:06.007Z');
    expect(fromSql(at)).toBe('2026-02-03T04:05:06.007Z');
    expect(() => fromSql('yesterday')).toThrow('not a DATETIME');
  });

  it('go in by the ten thousand', async () => {
    const rows = Array.from({ length: 10_000 }, (_, index) => [index + 10, `box ${index}`, index]).flat();
    expect(await db.run(`INSERT INTO box (id, name, pieces) VALUES ${placeholders(10_000, 3)}`, rows)).toBe(10_000);
  });

  it('changed by a write are counted by matching rows, and RETURNING answers them', async () => {
    expect(await db.run('UPDATE box SET pieces = pieces')).toBe(1);
    expect(await db.run('UPDATE box SET pieces = 1 WHERE id = 99')).toBe(0);
    expect(await db.rows('UPDATE box SET pieces = 3 RETURNING id, pieces')).toEqual([{ id: 1, pieces: 3 }]);
    expect(await db.rows('WITH one AS (SELECT id FROM box) SELECT id FROM one')).toEqual([{ id: 1 }]);
    expect(await db.run('WITH one AS (SELECT id FROM box) UPDATE box SET pieces = 4 WHERE id IN (SELECT id FROM one)')).toBe(1);
  });
});

describe('optimistic locking', () => {
  it('lets one of two editors through', async () => {
    const { Box } = boxes;
    const [mine, yours] = await Promise.all([Box.findByPk(1, { rejectOnEmpty: true }), Box.findByPk(1, { rejectOnEmpty: true })]);
    await mine.update({ name: 'mine' });
    await expect(yours.update({ name: 'yours' })).rejects.toBeInstanceOf(OptimisticLockError);
    expect(await boxes.names()).toEqual(['mine']);
  });
});

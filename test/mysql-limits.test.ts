import { type Database, isStoreDown } from '../src/shared/database.ts';
import { migrate, pendingMigrations } from '../src/shared/migrations.ts';
import { openStore } from './harness/stores.ts';

/** How long MySQL may take for something. The embedded store has neither row locks nor a server that might hang. */

let db: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openStore());
  await db.run('CREATE TABLE boxes (id INT PRIMARY KEY, pieces INT NOT NULL) ENGINE=InnoDB');
  await db.run('INSERT INTO boxes (id, pieces) VALUES (1, 0)');
});

afterAll(() => close());

const addOne = 'UPDATE boxes SET pieces = pieces + 1 WHERE id = 1';
const longerThanTheLimit = 'SELECT SLEEP(4)';

describe('a transaction that waits for a row', () => {
  it('is tried again as a whole when the wait took too long', async () => {
    const holder = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const first = db.transaction(async (tx) => {
      await tx.run(addOne);
      locked.resolve();
      await holder.promise;
    });
    await locked.promise;
    let attempts = 0;
    await db.transaction(async (tx) => {
      attempts += 1;
      await tx.run('INSERT INTO boxes (id, pieces) VALUES (2, 0)');
      if (attempts === 2) {
        holder.resolve();
        await first;
      }
      await tx.run(addOne);
    });
    expect(attempts).toBe(2);
    expect(await db.rows('SELECT id, pieces FROM boxes ORDER BY id')).toEqual([
      { id: 1, pieces: 2 },
      { id: 2, pieces: 0 },
    ]);
  });
});

describe('a row that is never let go', () => {
  let letGo = () => {};
  let held: Promise<void>;
  beforeEach(async () => {
    const locked = Promise.withResolvers<void>();
    held = db.transaction(async (tx) => {
      await tx.run(addOne);
      locked.resolve();
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
    });
    await locked.promise;
  });
  afterEach(() => {
    letGo();
    return held;
  });

  it('is a store that is down, once the wait was tried again in vain', async () => {
    const error = await db.transaction((tx) => tx.run(addOne)).catch((reason: unknown) => reason);
    expect(isStoreDown(error)).toBe(true);
  });

  it('undoes all of a transaction, also when it swallows the error', async () => {
    const swallowing = db.transaction(async (tx) => {
      await tx.run('INSERT INTO boxes (id, pieces) VALUES (3, 0)');
      await tx.run(addOne).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow();
    expect(await db.rows('SELECT id FROM boxes WHERE id = 3')).toEqual([]);
  });
});

describe('a statement that takes too long', () => {
  it('is ended, and the store counts as down', async () => {
    const error = await db.rows(longerThanTheLimit).catch((reason: unknown) => reason);
    expect(isStoreDown(error)).toBe(true);
    expect(await db.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('does not go on inside the server', async () => {
    await db.rows(longerThanTheLimit).catch(() => undefined);
    expect(
      await db.rows("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%' AND db = DATABASE()"),
    ).toEqual([]);
  });

  it('may be part of a migration', async () => {
    const slow: Database = {
      ...db,
      transaction: (work, options) =>
        db.transaction(async (tx) => {
          await tx.rows(longerThanTheLimit);
          return work(tx);
        }, options),
    };
    expect(await migrate(slow)).toEqual(expect.arrayContaining(['0001-catalog-products']));
    expect(await pendingMigrations(db)).toEqual([]);
  });
});

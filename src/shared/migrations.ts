import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Umzug } from 'umzug';
import { columnTypes, createTable } from './column-types.ts';
import type { Database, Sql, SqlTransaction } from './sql.ts';

/** One step of the schema: `export const migration: Migration = { up, down }` in `migrations/NNNN-<module>-<what>.ts`. */
export interface Migration {
  /** MySQL commits each DDL statement by itself, so a step has to bear being run again after it died half way. */
  up(sql: Sql): Promise<void>;
  readonly down: ((sql: Sql) => Promise<void>) | 'irreversible';
  /**
   * Only for a step whose `up` takes something away or asks for more than before: the release since which the program no longer
   * needs what was. It has to be an earlier one than that of the step, because the one before runs beside it during a deployment
   * (docs/decisions/0027).
   */
  readonly unusedSince?: string;
}

/** The migrations lie beside `src`, as sources and in the build alike. */
const folder = join(import.meta.dirname, '..', '..', 'migrations');
const stepFile = /^(\d{4}-[a-z0-9-]+)\.(?:ts|js)$/;

/**
 * Runs every step that has not been run yet, in the order of their names. Safe to call from several processes at once: one
 * of them runs the steps, the others wait for it and find nothing left to do.
 * @returns the names of the steps that this call ran
 */
export async function migrate(db: Database): Promise<readonly string[]> {
  return exclusively(db, async (session) => {
    const umzug = await umzugOver(db, session);
    return (await umzug.up()).map((step) => step.name);
  });
}

/**
 * Undoes the last step. @returns its name, or undefined when there is none
 * @throws when the step can't be undone, or when a later version has built on it
 */
export async function undoLastMigration(db: Database): Promise<string | undefined> {
  return exclusively(db, async (session) => {
    const known = new Set(await stepNames());
    const unknown = (await executed(db)).filter((name) => !known.has(name));
    if (unknown.length > 0) throw new Error(`Undo these first, with the version that has them: ${unknown.join(', ')}`);
    const umzug = await umzugOver(db, session);
    return (await umzug.down())[0]?.name;
  });
}

/** The names of the steps that have not been run yet. Reads only. */
export async function pendingMigrations(db: Database): Promise<readonly string[]> {
  const done = new Set(await executed(db));
  return (await stepNames()).filter((name) => !done.has(name));
}

/** Runs the work of one step: on the embedded store in a transaction of its own, on MySQL in the session that holds the lock. */
type StepSession = (work: (sql: Sql) => Promise<void>) => Promise<void>;

async function umzugOver(db: Database, session: StepSession) {
  const steps = await loadSteps();
  return new Umzug<Database>({
    context: db,
    logger: undefined,
    migrations: steps.map(({ name, migration }) => ({
      name,
      up: () =>
        session(async (sql) => {
          await migration.up(sql);
          await sql.run('INSERT INTO shop_migrations (name) VALUES (?)', [name]);
        }),
      down: () =>
        session(async (sql) => {
          if (migration.down === 'irreversible') throw new Error(`The migration ${name} can not be undone.`);
          await migration.down(sql);
          await sql.run('DELETE FROM shop_migrations WHERE name = ?', [name]);
        }),
    })),
    // The row of a step is written together with the step itself, so that no crash can part them on the embedded store.
    storage: { executed: async () => [...(await executed(db))], logMigration: async () => {}, unlogMigration: async () => {} },
  });
}

async function stepNames(): Promise<readonly string[]> {
  return (await stepFiles()).map(({ name }) => name);
}

async function stepFiles(): Promise<readonly { readonly name: string; readonly path: string }[]> {
  const files = await readdir(folder);
  return files
    .flatMap((file) => {
      const name = stepFile.exec(file)?.[1];
      return name === undefined ? [] : [{ name, path: join(folder, file) }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function loadSteps() {
  return Promise.all(
    (await stepFiles()).map(async ({ name, path }) => {
      const { migration }: { migration?: Migration } = await import(path);
      if (migration === undefined) throw new Error(`migrations/${name} exports no migration.`);
      return { name, migration };
    }),
  );
}

async function executed(sql: Sql): Promise<readonly string[]> {
  const tables =
    sql.dialect === 'mysql'
      ? "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'shop_migrations'"
      : "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'shop_migrations'";
  if ((await sql.rows(tables)).length === 0) return [];
  const rows = await sql.rows<{ name: string }>('SELECT name FROM shop_migrations ORDER BY name');
  return rows.map(({ name }) => name);
}

const lockWaitMs = 600_000;
const lockPollMs = 200;

async function exclusively<T>(db: Database, work: (session: StepSession) => Promise<T>): Promise<T> {
  if (db.dialect === 'sqlite') {
    // One server at a time has the data folder, by a lock of its own.
    await createStepTable(db);
    return work((step) => db.transaction(step));
  }
  // The lock belongs to a session and outlives the commits that DDL makes, so everything runs in one session of our own.
  return db.transaction(
    async (tx) => {
      await takeLock(tx);
      try {
        await createStepTable(tx);
        return await work((step) => step(tx));
      } finally {
        await tx.rows(`SELECT RELEASE_LOCK(${lockName})`);
      }
    },
    { unhurried: true },
  );
}

async function createStepTable(sql: Sql): Promise<void> {
  await createTable(sql, {
    name: 'shop_migrations',
    columns: [`name ${columnTypes(sql.dialect).ascii(100)} NOT NULL PRIMARY KEY`],
  });
}

// Named locks are the server's, not the database's.
const lockName = "CONCAT('shop_migrations.', MD5(DATABASE()))";

async function takeLock(tx: SqlTransaction): Promise<void> {
  const deadline = Date.now() + lockWaitMs;
  for (;;) {
    const [row] = await tx.rows<{ taken: number | null }>(`SELECT GET_LOCK(${lockName}, 0) AS taken`);
    if (Number(row?.taken) === 1) return;
    if (Date.now() > deadline) throw new Error('Another process has been migrating the database for 10 minutes.');
    await pause(lockPollMs);
  }
}

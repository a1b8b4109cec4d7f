import type { SQLInputValue } from 'node:sqlite';
import { closedError, SqliteError } from './sqlite-error.ts';
import type { SqliteParams, SqliteResult, SqliteRow } from './sqlite-handle.ts';
import type { Outcome, SqliteStore, SqliteTransaction } from './sqlite-store.ts';

type Callback = (this: Statement, error: unknown, rows?: SqliteRow[]) => void;

/** The name matters: Sequelize looks at it to tell where the new ids are. */
class Statement {
  readonly lastID: number;
  readonly changes: number;

  constructor(lastID: number, changes: number) {
    this.lastID = lastID;
    this.changes = changes;
  }
}

/**
 * What Sequelize takes for a connection: it opens one for each transaction and one for everything else. Each is only a view of
 * the shared store. Between BEGIN and COMMIT or ROLLBACK it has the writer to itself; outside it reads what is committed and
 * each write is a transaction of its own. BEGIN DEFERRED begins a snapshot that can't write, any other BEGIN a write.
 */
export class SqliteConnection {
  readonly filename: string;
  /** set by Sequelize to the id of the transaction */
  uuid: string | undefined;
  readonly #store: SqliteStore;
  #transaction: SqliteTransaction | undefined;
  #closed = false;

  constructor(store: SqliteStore, filename: string) {
    this.#store = store;
    this.filename = filename;
  }

  /** What became of the last transaction on this connection. */
  get outcome(): Outcome | undefined {
    return this.#transaction?.outcome;
  }

  async execute(sql: string, params?: SqliteParams): Promise<SqliteResult> {
    if (this.#closed) throw closedError();
    const verb = transactionVerb(sql);
    if (verb === 'begin' && this.outcome !== 'open') return this.#begin(sql);
    if (verb === 'commit') return this.#commit();
    if (verb === 'rollback') return this.#rollback();
    if (this.#transaction?.outcome === 'open') return this.#transaction.execute(sql, params);
    return this.#store.execute(sql, params);
  }

  serialize(work: () => void): void {
    work();
  }

  run(sql: string, params?: unknown, callback?: Callback): void {
    // Sequelize says this on every new connection; the shared handles have it on since they were opened
    if (/^PRAGMA FOREIGN_KEYS=ON$/i.test(sql)) return;
    this.all(sql, params, callback);
  }

  all(sql: string, params?: unknown, callback?: Callback): void {
    const done = typeof params === 'function' ? (params as Callback) : callback; // sqlite3 allows to leave the parameters out
    this.#answer(sql, typeof params === 'function' ? [] : params, done).catch((error: unknown) => {
      done?.call(new Statement(0, 0), error);
    });
  }

  /** Rolls back what is open and lets the next one write. */
  close(callback?: (error: unknown) => void): void {
    this.#closed = true;
    try {
      this.#transaction?.rollback();
      callback?.(null);
    } catch (error) {
      callback?.(error);
    }
  }

  async #answer(sql: string, params: unknown, done: Callback | undefined): Promise<void> {
    const { rows, changes, lastId } = await this.execute(sql, toSqliteParams(params));
    const answer = sql.startsWith('PRAGMA table_info') ? rows.map(withoutTimeType) : rows.map(withBuffers);
    done?.call(new Statement(lastId, changes), null, answer);
  }

  async #begin(sql: string): Promise<SqliteResult> {
    const transaction = await (/^begin\s+deferred/i.test(sql) ? this.#store.beginSnapshot() : this.#store.begin());
    if (this.#closed) {
      transaction.rollback();
      throw closedError();
    }
    this.#transaction = transaction;
    return nothing;
  }

  #commit(): SqliteResult {
    if (!this.#transaction) throw new SqliteError('SQLITE_ERROR', 'cannot commit: no transaction is active');
    this.#transaction.commit();
    return nothing;
  }

  /** Also when there is nothing to roll back: Sequelize does so after a BEGIN that failed. */
  #rollback(): SqliteResult {
    this.#transaction?.rollback();
    return nothing;
  }
}

/** The `dialectModule` for Sequelize 6's `sqlite` dialect: the part of the npm package `sqlite3` that it uses. */
export function sqliteDialect(store: SqliteStore): object {
  class Database extends SqliteConnection {
    constructor(filename: string, _mode: number, opened: (error: unknown) => void) {
      super(store, filename);
      // Sequelize first stores what the constructor answers
      queueMicrotask(() => opened(null));
    }
  }
  return { Database, OPEN_READONLY: 1, OPEN_READWRITE: 2, OPEN_CREATE: 4 };
}

const nothing: SqliteResult = { rows: [], changes: 0, lastId: 0 };

function transactionVerb(sql: string): 'begin' | 'commit' | 'rollback' | undefined {
  const match = /^(?:(begin)|(commit|end)|(rollback)(?!\s+(?:transaction\s+)?to\b))\b/i.exec(sql);
  if (!match) return undefined;
  if (match[1]) return 'begin';
  return match[2] ? 'commit' : 'rollback';
}

function toSqliteParams(params: unknown): SqliteParams {
  if (params === undefined || params === null) return [];
  if (Array.isArray(params)) return params.map(toSqliteValue);
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, toSqliteValue(value)]));
}

/** The same conversions as `sqlite3`; an object has no meaning as a value. */
function toSqliteValue(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return value.getTime();
  if (typeof value !== 'number') throw new TypeError(`a ${typeof value} can not be a SQL parameter`);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError(`${value} is beyond 2^53: pass a bigint`);
  return value;
}

/** Sequelize asks for the types of the columns to make a Date of every DATETIME; models get the text, as on MySQL. */
function withoutTimeType(column: SqliteRow): SqliteRow {
  const { type } = column;
  return typeof type === 'string' && /^datetime/i.test(type) ? { ...column, type: 'TEXT' } : column;
}

function withBuffers(row: SqliteRow): SqliteRow {
  for (const name in row) {
    const value = row[name];
    if (value instanceof Uint8Array) row[name] = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return row;
}

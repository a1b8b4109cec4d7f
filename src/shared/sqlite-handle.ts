import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { SqliteError, toSqliteError } from './sqlite-error.ts';

export type SqliteParams = readonly SQLInputValue[] | Readonly<Record<string, SQLInputValue>>;
export type SqliteRow = Record<string, SQLOutputValue>;

export interface SqliteResult {
  readonly rows: SqliteRow[];
  /** matched rows of the write */
  readonly changes: number;
  readonly lastId: number;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly answersRows: boolean;
  readonly placeholders: number;
}

const maxStatements = 500;
const maxStatementsLength = 2_000_000;
/** Longer ones are batches of one odd size: they would push the others out and rarely come again. */
const maxStatementLength = 100_000;

/** One open database file: prepared statements are kept, errors come out as `SqliteError`. Everything is synchronous. */
export class SqliteHandle {
  readonly #database: DatabaseSync;
  readonly #prepared = new LRUCache<string, Prepared>({
    max: maxStatements,
    maxSize: maxStatementsLength,
    maxEntrySize: maxStatementLength,
    sizeCalculation: (_prepared, sql) => sql.length + 1,
  });

  constructor(file: string, { readOnly }: { readonly readOnly: boolean }) {
    this.#database = translated(() => new DatabaseSync(file, { readOnly, timeout: 0, enableForeignKeyConstraints: true }));
  }

  get inTransaction(): boolean {
    return this.#database.isOpen && this.#database.isTransaction;
  }

  execute(sql: string, params: SqliteParams = []): SqliteResult {
    return translated(() => {
      const { statement, answersRows, placeholders } = this.#prepare(sql);
      if (isList(params) && params.length < placeholders)
        throw new SqliteError('SQLITE_RANGE', `${placeholders} parameters are needed`);
      if (answersRows) {
        const rows = isList(params) ? statement.all(...params) : statement.all(params);
        return { rows, changes: rows.length, lastId: 0 };
      }
      const { changes, lastInsertRowid } = isList(params) ? statement.run(...params) : statement.run(params);
      return { rows: [], changes: Number(changes), lastId: Number(lastInsertRowid) };
    });
  }

  /** Runs a script of any number of statements without parameters. */
  executeScript(sql: string): void {
    translated(() => this.#database.exec(sql));
  }

  close(): void {
    this.#prepared.clear();
    if (this.#database.isOpen) translated(() => this.#database.close());
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    refuseTail(sql, statement.sourceSQL.length);
    const prepared = { statement, answersRows: statement.columns().length > 0, placeholders: countPlaceholders(sql) };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** SQLite prepares the first statement of a text and silently leaves the rest. */
function refuseTail(sql: string, preparedLength: number): void {
  if (sql.length > preparedLength && /[^\s;]/.test(sql.slice(preparedLength))) {
    throw new SqliteError('SQLITE_MISUSE', 'one statement at a time');
  }
}

/** SQLite takes a parameter that is missing for NULL; MySQL refuses, and so do we. */
function countPlaceholders(sql: string): number {
  const marks = sql.split('?').length - 1;
  if (marks === 0 || !/['"`]|--|\/\*/.test(sql)) return marks;
  const parts = sql.match(/'[^']*'|"[^"]*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g) ?? [];
  return parts.filter((part) => part === '?').length;
}

function isList(params: SqliteParams): params is readonly SQLInputValue[] {
  return Array.isArray(params);
}

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toSqliteError(error);
  }
}

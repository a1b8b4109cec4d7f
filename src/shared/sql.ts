import type { Sequelize, Transaction } from 'sequelize';

/** What may be bound to a `?`: scalars only, and a number is a safe integer. */
export type Param = string | number | null;

/** A row as it comes from the store. Times are 'YYYY-MM-DD HH:MM:SS.mmm' on both stores. */
export type Row = Readonly<Record<string, unknown>>;

export interface Sql {
  readonly dialect: 'mysql' | 'sqlite';
  /** Rows of a query with positional `?` parameters. */
  rows<R = Row>(sql: string, params?: readonly Param[]): Promise<readonly R[]>;
  /** Runs a write and answers how many rows it matched: an UPDATE that changes nothing counts its row on both stores. */
  run(sql: string, params?: readonly Param[]): Promise<number>;
}

export interface SqlTransaction extends Sql {
  /** Sequelize's own transaction, for models: `{ transaction: tx.handle }`. */
  readonly handle: Transaction;
}

export interface TransactionOptions {
  /** A consistent snapshot that refuses writes. */
  readonly readOnly?: boolean;
  /** On MySQL a connection of its own, never one of the pool. The embedded store has nothing like it and ignores this. */
  readonly fresh?: boolean;
  /** On MySQL a fresh connection whose statements take as long as they need, for changes of the schema. */
  readonly unhurried?: boolean;
}

export interface Database extends Sql {
  readonly sequelize: Sequelize;
  /**
   * Runs `work` in one transaction and commits it. Any throw rolls back. On a deadlock, a lock timeout, a snapshot conflict
   * or a busy store the whole callback runs again, at most 3 times, so it must have no effect outside its transaction.
   * Throws `CommitInDoubt` when the COMMIT failed and may or may not have happened; that is never run again.
   */
  transaction<T>(work: (tx: SqlTransaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Lets the transaction under way finish, then closes. */
  close(): Promise<void>;
}

/** Row locks are named in MySQL's SQL; the embedded store locks the whole file when the transaction begins. */
export function forUpdate(sql: Pick<Sql, 'dialect'>): string {
  return sql.dialect === 'mysql' ? ' FOR UPDATE' : '';
}

/**
 * Belongs behind a table's name: the query uses this index, whatever the planner thinks of it. For lists whose planner would
 * rather combine two indexes, or read all that lies in front of the page. A query that can't use the index fails.
 */
export function byIndex({ dialect }: Pick<Sql, 'dialect'>, index: string | undefined): string {
  if (index === undefined) return '';
  return dialect === 'mysql' ? ` FORCE INDEX (${index})` : ` INDEXED BY ${index}`;
}

/**
 * Belongs behind FROM: the rows of a table that have one of these ids, read, and locked, in the order of the ids by its primary key, of which
 * `key` is a part. Takes one parameter, `idsParam`: so it is one prepared statement however many they are, while a list for IN is
 * a text of another length each time, and each of its values costs the server more than finding the row does.
 */
export function rowsOfIds({ dialect }: Pick<Sql, 'dialect'>, table: string, key: string): string {
  if (dialect === 'sqlite') return `(SELECT value AS wanted FROM json_each(?)) wanted CROSS JOIN ${table} ON ${key} = wanted`;
  return `JSON_TABLE(?, '$[*]' COLUMNS (wanted CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$' ERROR ON ERROR)) ids
    STRAIGHT_JOIN ${table} FORCE INDEX (PRIMARY) ON ${key} = wanted`;
}

/** The parameter of `rowsOfIds`; an id that is named twice is found twice. */
export function idsParam(ids: readonly string[]): string {
  return JSON.stringify(ids);
}

/** `placeholders(2, 2)` is '(?,?),(?,?)'. */
export function placeholders(rows: number, columns: number): string {
  const row = `(${Array.from({ length: columns }, () => '?').join(',')})`;
  return Array.from({ length: rows }, () => row).join(',');
}

/** Refuses what must never reach a driver: objects and arrays expand to SQL there, other numbers lose digits. */
export function checkParams(params: readonly Param[]): void {
  for (const param of params) {
    if (typeof param === 'string' || param === null) continue;
    if (!Number.isSafeInteger(param))
      throw new TypeError(`a SQL parameter is a string, a safe integer or null, not ${typeof param}`);
  }
}

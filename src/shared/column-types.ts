import type { Sql } from './sql.ts';

/** Column types by what a column holds, so that one migration serves both stores (docs/decisions/0003). */
export interface ColumnTypes {
  /** a UUID; compares exactly */
  readonly id: string;
  /** ASCII that compares exactly: states, digests, kinds */
  ascii(length: number): string;
  /** text of any script that compares exactly: skus, keys, sort keys */
  exact(length: number): string;
  /** text of any script that compares without case: names */
  name(length: number): string;
  /** long text, never compared */
  readonly text: string;
  /** 'YYYY-MM-DD HH:MM:SS.mmm' in UTC (instant.ts) */
  readonly time: string;
  /** money in minor units, and other whole numbers up to 2^53 − 1 */
  readonly big: string;
  /** versions, counts, pieces: whole numbers up to 2^31 − 1 */
  readonly int: string;
}

const mysqlTypes: ColumnTypes = {
  id: 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin',
  ascii: (length) => `VARCHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin`,
  exact: (length) => `VARCHAR(${length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  name: (length) => `VARCHAR(${length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
  text: 'MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  time: 'DATETIME(3)',
  big: 'BIGINT',
  int: 'INT',
};

const sqliteTypes: ColumnTypes = {
  id: 'TEXT COLLATE BINARY',
  ascii: () => 'TEXT COLLATE BINARY',
  exact: () => 'TEXT COLLATE BINARY',
  name: () => 'TEXT COLLATE BINARY',
  text: 'TEXT',
  time: 'TEXT',
  big: 'INTEGER',
  int: 'INTEGER',
};

export function columnTypes(dialect: Sql['dialect']): ColumnTypes {
  return dialect === 'mysql' ? mysqlTypes : sqliteTypes;
}

export interface TableDefinition {
  readonly name: string;
  /** column definitions and table constraints, each as it stands in CREATE TABLE */
  readonly columns: readonly string[];
  /** columns by index name: `{ users_by_name: 'name, id' }` */
  readonly unique?: Readonly<Record<string, string>>;
  readonly indexes?: Readonly<Record<string, string>>;
  /**
   * The embedded store keeps the rows in the primary key itself, as InnoDB does. For narrow rows that are found by that
   * key; wide ones are better off without.
   */
  readonly clustered?: boolean;
}

/** Creates a table and its indexes unless they exist: DDL isn't transactional on MySQL, so a step that died half way runs again. */
export async function createTable(
  sql: Sql,
  { name, columns, unique = {}, indexes = {}, clustered = false }: TableDefinition,
): Promise<void> {
  const list = (lines: readonly string[]) => lines.map((line) => `  ${line}`).join(',\n');
  if (sql.dialect === 'mysql') {
    const keys = [
      ...Object.entries(unique).map(([index, on]) => `UNIQUE KEY ${index} (${on})`),
      ...Object.entries(indexes).map(([index, on]) => `KEY ${index} (${on})`),
    ];
    const options = 'ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci';
    await sql.run(`CREATE TABLE IF NOT EXISTS ${name} (\n${list([...columns, ...keys])}\n) ${options}`);
    return;
  }
  await sql.run(`CREATE TABLE IF NOT EXISTS ${name} (\n${list(columns)}\n) STRICT${clustered ? ', WITHOUT ROWID' : ''}`);
  for (const [index, on] of Object.entries(unique))
    await sql.run(`CREATE UNIQUE INDEX IF NOT EXISTS ${index} ON ${name} (${on})`);
  for (const [index, on] of Object.entries(indexes)) await sql.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${name} (${on})`);
}

/** Adds a column unless it is there, for the same reason. Neither SQLite nor MySQL has words for it. */
export async function addColumn(
  sql: Sql,
  { table, column, definition }: { readonly table: string; readonly column: string; readonly definition: string },
): Promise<void> {
  const columns =
    sql.dialect === 'mysql'
      ? 'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?'
      : 'SELECT name FROM pragma_table_info(?)';
  const found = await sql.rows<{ name: string }>(columns, [table]);
  if (!found.some(({ name }) => name === column)) await sql.run(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
}

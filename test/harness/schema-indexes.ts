import type { Database } from '../../src/shared/database.ts';

export interface SchemaIndex {
  readonly name: string;
  readonly table: string;
  /** the statements that take it away and bring it back */
  readonly drop: string;
  readonly create: string;
}

/** The indexes that the migrations made to find rows; what has to be unique, by primary keys or other ones, is not among them. */
export async function schemaIndexes(db: Database): Promise<readonly SchemaIndex[]> {
  if (db.dialect === 'sqlite') {
    const rows = await db.rows<{ name: string; tbl_name: string; sql: string }>(
      "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE INDEX%' ORDER BY name",
    );
    return rows.map(({ name, tbl_name, sql }) => ({ name, table: tbl_name, drop: `DROP INDEX ${name}`, create: sql }));
  }
  const rows = await db.rows<{ name: string; table_: string; columns: string }>(
    `SELECT index_name AS name, table_name AS table_, GROUP_CONCAT(column_name ORDER BY seq_in_index) AS columns
     FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 1 AND index_type = 'BTREE'
     GROUP BY table_name, index_name ORDER BY index_name`,
  );
  return rows.map(({ name, table_: table, columns }) => ({
    ...{ name, table },
    drop: `DROP INDEX ${name} ON ${table}`,
    create: `CREATE INDEX ${name} ON ${table} (${columns})`,
  }));
}

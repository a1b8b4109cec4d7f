import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';
import type { Sql } from '../src/shared/sql.ts';

/** `words` holds words encoded by search-words.ts, plain ASCII without any meaning to an engine. */
export const migration: Migration = {
  up: (sql) => (sql.dialect === 'mysql' ? upMysql(sql) : upSqlite(sql)),
  down: async (sql) => {
    if (sql.dialect === 'sqlite') await sql.run('DROP TABLE catalog_search_index');
    await sql.run('DROP TABLE catalog_search');
  },
};

async function upMysql(sql: Sql): Promise<void> {
  const { id } = columnTypes(sql.dialect);
  await createTable(sql, {
    name: 'catalog_search',
    columns: [
      `product_id ${id} NOT NULL PRIMARY KEY`,
      'words MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL',
      'FULLTEXT KEY catalog_search_words (words)',
    ],
  });
}

/** FTS5 keeps its index in step by triggers, so that the writes are the same statements on both stores. */
async function upSqlite(sql: Sql): Promise<void> {
  await sql.run(
    'CREATE TABLE IF NOT EXISTS catalog_search (search_id INTEGER PRIMARY KEY, product_id TEXT COLLATE BINARY NOT NULL UNIQUE, words TEXT NOT NULL) STRICT',
  );
  await sql.run(
    `CREATE VIRTUAL TABLE IF NOT EXISTS catalog_search_index USING fts5(
      words, content = 'catalog_search', content_rowid = 'search_id', detail = 'none', tokenize = 'unicode61 remove_diacritics 0')`,
  );
  const add = 'INSERT INTO catalog_search_index (rowid, words) VALUES (new.search_id, new.words)';
  const remove =
    "INSERT INTO catalog_search_index (catalog_search_index, rowid, words) VALUES ('delete', old.search_id, old.words)";
  const trigger = (when: string, work: string) =>
    sql.run(
      `CREATE TRIGGER IF NOT EXISTS catalog_search_after_${when} AFTER ${when.toUpperCase()} ON catalog_search BEGIN ${work}; END`,
    );
  await trigger('insert', add);
  await trigger('delete', remove);
  await trigger('update', `${remove}; ${add}`);
}

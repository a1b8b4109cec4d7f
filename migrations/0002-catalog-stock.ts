import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** The CHECK is the last line of defence: every UPDATE carries the same condition itself. */
export const migration: Migration = {
  up: async (sql) => {
    const { id, ascii, exact, time, big, int } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'catalog_stock',
      columns: [
        `product_id ${id} NOT NULL PRIMARY KEY`,
        `on_hand ${big} NOT NULL`,
        `reserved ${big} NOT NULL`,
        `version ${int} NOT NULL`,
        'CONSTRAINT catalog_stock_covers CHECK (0 <= reserved AND reserved <= on_hand)',
      ],
      clustered: true,
    });
    await createTable(sql, {
      name: 'catalog_stock_movements',
      columns: [
        `id ${id} NOT NULL PRIMARY KEY`,
        `product_id ${id} NOT NULL`,
        `kind ${ascii(10)} NOT NULL`,
        `delta ${big} NOT NULL`,
        `reason ${exact(200)} NULL`,
        `reservation_id ${id} NULL`,
        `created_by ${id} NULL`,
        `created_at ${time} NOT NULL`,
      ],
      indexes: { catalog_stock_movements_ledger: 'product_id, created_at, id' },
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE catalog_stock_movements');
    await sql.run('DROP TABLE catalog_stock');
  },
};

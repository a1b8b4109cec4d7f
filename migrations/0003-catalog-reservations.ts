import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** `digest` stands for the items; it is NULL when a reservation was released before it was made. */
export const migration: Migration = {
  up: async (sql) => {
    const { id, ascii, exact, name, time, big, int } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'catalog_reservations',
      columns: [
        `id ${id} NOT NULL PRIMARY KEY`,
        `state ${ascii(10)} NOT NULL`,
        `digest ${ascii(43)} NULL`,
        `line_count ${int} NOT NULL`,
        `created_at ${time} NOT NULL`,
        `settled_at ${time} NULL`,
      ],
      indexes: { catalog_reservations_state: 'state, created_at, id' },
      clustered: true,
    });
    await createTable(sql, {
      name: 'catalog_reservation_lines',
      columns: [
        `reservation_id ${id} NOT NULL`,
        `product_id ${id} NOT NULL`,
        `sku ${exact(64)} NOT NULL`,
        `name ${name(200)} NOT NULL`,
        `price_amount ${big} NOT NULL`,
        `price_currency ${ascii(3)} NOT NULL`,
        `quantity ${big} NOT NULL`,
        'PRIMARY KEY (reservation_id, product_id)',
        'CONSTRAINT catalog_reservation_lines_quantity CHECK (quantity > 0)',
      ],
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE catalog_reservation_lines');
    await sql.run('DROP TABLE catalog_reservations');
  },
};

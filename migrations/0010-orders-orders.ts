import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** Ids are time-ordered, so "newest first" is the order of the ids in every index. */
export const migration: Migration = {
  up: async (sql) => {
    const { id, ascii, exact, name, time, big, int } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'orders_orders',
      columns: [
        `id ${id} NOT NULL PRIMARY KEY`,
        `user_id ${id} NOT NULL`,
        `reservation_id ${id} NOT NULL`,
        `status ${ascii(10)} NOT NULL`,
        `currency ${ascii(3)} NOT NULL`,
        `total ${big} NOT NULL`,
        `pieces ${big} NOT NULL`,
        `version ${int} NOT NULL`,
        `created_at ${time} NOT NULL`,
        `updated_at ${time} NOT NULL`,
        `cancelled_at ${time} NULL`,
        "CONSTRAINT orders_orders_status CHECK (status IN ('placed', 'confirmed', 'shipped', 'delivered', 'cancelled'))",
      ],
      unique: { orders_orders_reservation: 'reservation_id' },
      indexes: {
        orders_orders_user: 'user_id, id',
        orders_orders_user_status: 'user_id, status, id',
        orders_orders_status: 'status, id',
        orders_orders_cancelled: 'cancelled_at, currency',
      },
      clustered: true,
    });
    await createTable(sql, {
      name: 'orders_lines',
      columns: [
        `order_id ${id} NOT NULL`,
        `line_number ${int} NOT NULL`,
        `product_id ${id} NOT NULL`,
        `sku ${exact(64)} NOT NULL`,
        `name ${name(200)} NOT NULL`,
        `unit_price ${big} NOT NULL`,
        `quantity ${big} NOT NULL`,
        'PRIMARY KEY (order_id, line_number)',
        'CONSTRAINT orders_lines_quantity CHECK (quantity > 0)',
      ],
      clustered: true,
    });
    await createTable(sql, {
      name: 'orders_history',
      columns: [
        `order_id ${id} NOT NULL`,
        `sequence ${int} NOT NULL`,
        `status ${ascii(10)} NOT NULL`,
        `actor ${ascii(10)} NOT NULL`,
        `carrier ${exact(100)} NULL`,
        `tracking_number ${exact(100)} NULL`,
        `created_at ${time} NOT NULL`,
        'PRIMARY KEY (order_id, sequence)',
      ],
      clustered: true,
    });
  },
  down: async (sql) => {
    for (const table of ['orders_history', 'orders_lines', 'orders_orders']) await sql.run(`DROP TABLE ${table}`);
  },
};

import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** Totals of the closed hours of days that are still open. A row without a currency says that the hour is closed, also one without an order. */
export const migration: Migration = {
  up: async (sql) => {
    const { ascii } = columnTypes(sql.dialect);
    const facts = ['placed_count', 'placed_pieces', 'placed_total', 'cancelled_count', 'cancelled_pieces', 'cancelled_total'];
    await createTable(sql, {
      name: 'orders_hours',
      columns: [
        `hour ${ascii(13)} NOT NULL`,
        `currency ${ascii(3)} NOT NULL`,
        ...facts.map((fact) => `${fact} ${ascii(40)} NOT NULL`),
        'PRIMARY KEY (hour, currency)',
      ],
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE orders_hours');
  },
};

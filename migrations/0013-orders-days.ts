import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** Totals of closed days, as text because a sum may outgrow every number of a store: `orders_closed_days` tells which days they cover, also those without an order. */
export const migration: Migration = {
  up: async (sql) => {
    const { ascii } = columnTypes(sql.dialect);
    const facts = ['placed_count', 'placed_pieces', 'placed_total', 'cancelled_count', 'cancelled_pieces', 'cancelled_total'];
    await createTable(sql, { name: 'orders_closed_days', columns: [`day ${ascii(10)} NOT NULL PRIMARY KEY`], clustered: true });
    await createTable(sql, {
      name: 'orders_days',
      columns: [
        `day ${ascii(10)} NOT NULL`,
        `currency ${ascii(3)} NOT NULL`,
        ...facts.map((fact) => `${fact} ${ascii(40)} NOT NULL`),
        'PRIMARY KEY (day, currency)',
      ],
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE orders_days');
    await sql.run('DROP TABLE orders_closed_days');
  },
};

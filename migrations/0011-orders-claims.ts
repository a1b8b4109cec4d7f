import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** The primary key is what orders and abandoned attempts compete for. */
export const migration: Migration = {
  up: async (sql) => {
    const { id, ascii, time } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'orders_claims',
      columns: [
        `reservation_id ${id} NOT NULL PRIMARY KEY`,
        `kind ${ascii(5)} NOT NULL`,
        `order_id ${id} NULL`,
        `user_id ${id} NULL`,
        `fingerprint ${ascii(64)} NULL`,
        `created_at ${time} NOT NULL`,
        "CONSTRAINT orders_claims_kind CHECK ((kind = 'order' AND order_id IS NOT NULL) OR (kind = 'void' AND order_id IS NULL))",
      ],
      indexes: { orders_claims_age: 'kind, created_at' },
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE orders_claims');
  },
};

import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** `leased_until` is when a row may be taken next: at once, at the end of a lease, or of a pause after a failure. */
export const migration: Migration = {
  up: async (sql) => {
    const { id, ascii, exact, time, int } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'orders_outbox',
      columns: [
        `id ${id} NOT NULL PRIMARY KEY`,
        `order_id ${id} NOT NULL`,
        `type ${ascii(20)} NOT NULL`,
        `sequence ${int} NOT NULL`,
        `created_at ${time} NOT NULL`,
        `leased_by ${id} NULL`,
        `leased_until ${time} NOT NULL`,
        `published_at ${time} NULL`,
        `attempts ${int} NOT NULL DEFAULT 0`,
        `dead_at ${time} NULL`,
        `last_error ${exact(500)} NULL`,
      ],
      unique: { orders_outbox_sequence: 'order_id, sequence' },
      indexes: { orders_outbox_due: 'published_at, dead_at, leased_until, id', orders_outbox_lease: 'leased_by' },
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE orders_outbox');
  },
};

import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/**
 * `leased_until` is when a row may be taken next: at once, at the end of a lease, or of a pause after a failure. `due_at` is the same without the leases:
 * so leasing changes no index, and as `leased_by` is never NULL, it lets no row grow out of its page.
 */
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
        `due_at ${time} NOT NULL DEFAULT '1970-01-01 00:00:00.000'`,
        `leased_by ${id} NOT NULL DEFAULT ''`,
        `leased_until ${time} NOT NULL DEFAULT '1970-01-01 00:00:00.000'`,
        `published_at ${time} NULL`,
        `attempts ${int} NOT NULL DEFAULT 0`,
        `dead_at ${time} NULL`,
        `last_error ${exact(500)} NULL`,
      ],
      unique: { orders_outbox_sequence: 'order_id, sequence' },
      indexes: { orders_outbox_due: 'published_at, dead_at, due_at, id' },
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE orders_outbox');
  },
};

import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';

/** One row for each event that a consumer of the queue has handled. */
export const migration: Migration = {
  up: async (sql) => {
    const { id, ascii, time } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'orders_inbox',
      columns: [
        `consumer ${ascii(20)} NOT NULL`,
        `event_id ${id} NOT NULL`,
        `received_at ${time} NOT NULL`,
        'PRIMARY KEY (consumer, event_id)',
      ],
      indexes: { orders_inbox_received: 'received_at' },
      clustered: true,
    });
  },
  down: async (sql) => {
    await sql.run('DROP TABLE orders_inbox');
  },
};

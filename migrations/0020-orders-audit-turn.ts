import { columnTypes, createTable } from '../src/shared/column-types.ts';
import type { Migration } from '../src/shared/migrations.ts';
import { databaseClock } from '../src/shared/sql-clock.ts';

/** One row: when the last scheduled audit began, and until when a process has it. The first is due one interval from now. */
export const migration: Migration = {
  up: async (sql) => {
    const { id, int, time } = columnTypes(sql.dialect);
    await createTable(sql, {
      name: 'orders_audit_turn',
      columns: [
        `only_row ${int} NOT NULL PRIMARY KEY`,
        `started_at ${time} NOT NULL`,
        `holder ${id} NULL`,
        `held_until ${time} NOT NULL`,
        'CONSTRAINT orders_audit_turn_only_row CHECK (only_row = 1)',
      ],
    });
    if ((await sql.rows('SELECT only_row FROM orders_audit_turn')).length > 0) return;
    await sql.run(
      `INSERT INTO orders_audit_turn (only_row, started_at, held_until) VALUES (1, ${databaseClock(sql)}, '1970-01-01 00:00:00.000')`,
    );
  },
  down: async (sql) => {
    await sql.run('DROP TABLE orders_audit_turn');
  },
};

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrationSteps, narrowing, statementsOf } from './harness/narrowing-statements.ts';

/** Two versions run side by side during a deployment, on the schema of the newer one (docs/decisions/0027). */

describe('a step that takes something away', () => {
  it.each([
    'ALTER TABLE orders_orders DROP COLUMN pieces',
    'ALTER TABLE orders_orders RENAME COLUMN pieces TO count',
    'ALTER TABLE orders_orders MODIFY COLUMN status VARCHAR(5)',
    'ALTER TABLE orders_orders CHANGE status state VARCHAR(10)',
    'ALTER TABLE orders_orders ADD COLUMN channel VARCHAR(10) NOT NULL',
    'ALTER TABLE orders_orders ADD channel VARCHAR(10) NOT NULL',
    'ALTER TABLE orders_orders ADD CONSTRAINT some CHECK (total > 0)',
    'ALTER TABLE orders_orders ADD UNIQUE KEY one (user_id)',
    'CREATE UNIQUE INDEX one ON orders_orders (user_id)',
    'DROP TABLE orders_lines',
    'DROP INDEX orders_orders_user ON orders_orders',
    'RENAME TABLE orders_lines TO orders_items',
    'DELETE FROM orders_lines WHERE quantity = 0',
  ])('is known by its statements: %s', (sql) => {
    expect(narrowing([sql])).toEqual([sql]);
  });

  it.each([
    [['ALTER TABLE orders_orders ADD COLUMN channel VARCHAR(10) NULL']],
    [["ALTER TABLE orders_orders ADD COLUMN channel VARCHAR(10) NOT NULL DEFAULT 'web'"]],
    [['CREATE INDEX one ON orders_orders (user_id)']],
    [['ALTER TABLE orders_orders ADD INDEX one (user_id)']],
    [
      [
        'CREATE TABLE IF NOT EXISTS orders_notes (id CHAR(36) NOT NULL PRIMARY KEY)',
        'CREATE UNIQUE INDEX one ON orders_notes (id)',
      ],
    ],
    [['UPDATE orders_orders SET channel = 1 WHERE channel IS NULL']],
  ])('is not one of these: %j', (statements) => {
    expect(narrowing(statements)).toEqual([]);
  });
});

it('every step that takes something away says since which release nothing needs it', async () => {
  const { version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
  for (const { name, migration } of await migrationSteps()) {
    const found = [...narrowing(await statementsOf(migration, 'mysql')), ...narrowing(await statementsOf(migration, 'sqlite'))];
    if (migration.unusedSince === undefined) expect([name, found]).toEqual([name, []]);
    else {
      expect(migration.unusedSince).toMatch(/^\d+\.\d+\.\d+$/);
      expect(migration.unusedSince.localeCompare(version, 'en', { numeric: true })).toBeLessThanOrEqual(0);
    }
  }
});

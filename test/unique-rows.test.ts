import { type Database, isDuplicateKey } from '../src/shared/database.ts';
import { openShopStore } from './harness/module-door.ts';

/** What has to be unique beside the primary keys, by the store itself: no statement may get past it. */

let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ db, close } = await openShopStore());
});
afterAll(() => close());

const at = '2026-01-02 03:04:05.678';
/** Two rows that differ in their primary key alone, by the index that has to refuse the second. */
const rows: Readonly<Record<string, (id: string) => string>> = {
  catalog_products_live_sku: (id) =>
    `INSERT INTO catalog_products (id, sku, live_sku, name, name_key, attributes, price_amount, price_currency, version, created_at, updated_at)
     VALUES ('${id}', 'LAMP', 'LAMP', 'Lamp', 'lamp', '{}', 1, 'GBP', 1, '${at}', '${at}')`,
  orders_orders_reservation: (id) =>
    `INSERT INTO orders_orders (id, user_id, reservation_id, status, currency, total, pieces, version, created_at, updated_at)
     VALUES ('${id}', 'user', 'reservation', 'placed', 'GBP', 1, 1, 1, '${at}', '${at}')`,
  orders_outbox_sequence: (id) =>
    `INSERT INTO orders_outbox (id, order_id, type, sequence, created_at, leased_until)
     VALUES ('${id}', 'order', 'order.placed', 1, '${at}', '${at}')`,
};

it('every unique index is looked at', async () => {
  const indexes = await db.rows<{ name: string }>(
    db.dialect === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE INDEX%' ORDER BY name"
      : `SELECT DISTINCT index_name AS name FROM information_schema.statistics
         WHERE table_schema = DATABASE() AND non_unique = 0 AND index_name <> 'PRIMARY' ORDER BY index_name`,
  );
  expect(indexes.map(({ name }) => name)).toEqual(Object.keys(rows).sort());
});

it.each(Object.entries(rows))('%s refuses a second row', async (_index, insert) => {
  await db.run(insert('one'));
  const error = await db.run(insert('two')).catch((reason: unknown) => reason);
  expect(isDuplicateKey(error)).toBe(true);
});

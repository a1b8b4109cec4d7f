import { type Database, placeholders, type Sql } from '../../src/shared/database.ts';
import { newId } from '../../src/shared/identifier.ts';
import { toSql } from '../../src/shared/instant.ts';

/** Rows of each large table. */
const rowCount = 100_000;
const categories = 50;
const days = 400;
const users = 1000;
const heldReservations = 20;
const dayMs = 86_400_000;

export interface LargeTables {
  /** has a third of the orders */
  readonly userId: string;
  /** has a third of the movements */
  readonly productId: string;
}

/**
 * Fills every table that grows with the shop, as after many months: most orders are delivered, most events published. Some
 * reservations were left behind. The rows of one order, product or reservation have the same id in all tables.
 */
export async function fillTables(db: Database, { userId, productId }: LargeTables): Promise<void> {
  const tables = [...catalogTables(productId), ...ordersTables(userId)];
  await db.transaction(
    async (tx) => {
      await makeSample(tx);
      for (const { table, columns, where = '1 = 1' } of tables)
        await tx.run(
          `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) SELECT ${Object.values(columns).join(', ')} FROM sample WHERE ${where}`,
        );
      await fillDays(tx);
      await tx.run('DROP TABLE sample');
      if (tx.dialect === 'mysql') await tx.rows(`ANALYZE TABLE ${tables.map(({ table }) => table).join(', ')}`);
    },
    { unhurried: true },
  );
}

/** Numbers with an id, a time and a user each. */
async function makeSample(tx: Sql): Promise<void> {
  await tx.run(
    'CREATE TABLE sample (n INTEGER NOT NULL PRIMARY KEY, id CHAR(36) NOT NULL, happened VARCHAR(23) NOT NULL, user_id CHAR(36) NOT NULL)',
  );
  const userIds = Array.from({ length: users }, () => newId());
  const start = Date.now() - days * dayMs;
  const rowsPerStatement = 5000;
  for (let first = 1; first <= rowCount; first += rowsPerStatement) {
    const params = Array.from({ length: rowsPerStatement }, (_, place) => {
      const n = first + place;
      const at = start + Math.floor((n * (days - 1) * dayMs) / rowCount);
      return [n, newId(at), toSql(new Date(at)), userIds[n % users] ?? ''];
    });
    await tx.run(`INSERT INTO sample (n, id, happened, user_id) VALUES ${placeholders(rowsPerStatement, 4)}`, params.flat());
  }
}

interface Filling {
  readonly table: string;
  /** expressions over the sample, by column */
  readonly columns: Readonly<Record<string, string>>;
  readonly where?: string;
}

const isHeld = `n <= ${heldReservations}`;
const isDeleted = 'n % 20 = 0';
const isCancelled = 'n % 20 = 0';
const isVoid = 'n % 10 = 0';
const isDead = 'n % 1000 = 0';

function catalogTables(productId: string): readonly Filling[] {
  const product = { sku: `CONCAT('LARGE-', n)`, name: `CONCAT('Product ', n)` };
  const price = { price_amount: 'n * 7 % 5000', price_currency: "'GBP'" };
  return [
    {
      table: 'catalog_products',
      columns: {
        ...{
          id: 'id',
          ...product,
          ...price,
          name_key: `CONCAT('product ', n)`,
          category: `CONCAT('Category ', n % ${categories})`,
        },
        live_sku: `CASE WHEN NOT ${isDeleted} THEN CONCAT('LARGE-', n) END`,
        ...{ attributes: "'{}'", version: '1', created_at: 'happened', updated_at: 'happened' },
        deleted_at: `CASE WHEN ${isDeleted} THEN happened END`,
      },
    },
    {
      table: 'catalog_stock',
      columns: { product_id: 'id', on_hand: '100', reserved: `CASE WHEN ${isHeld} THEN 1 ELSE 0 END`, version: '1' },
    },
    {
      table: 'catalog_stock_movements',
      columns: {
        ...{ id: 'id', kind: "'initial'", delta: '100', created_at: 'happened' },
        product_id: `CASE WHEN n % 3 = 0 THEN '${productId}' ELSE id END`,
      },
    },
    {
      table: 'catalog_reservations',
      columns: {
        ...{ id: 'id', digest: "'digest'", line_count: '1', created_at: 'happened' },
        state: `CASE WHEN ${isHeld} THEN 'held' WHEN ${isVoid} THEN 'released' ELSE 'committed' END`,
        settled_at: `CASE WHEN NOT ${isHeld} THEN happened END`,
      },
    },
    {
      table: 'catalog_reservation_lines',
      columns: { reservation_id: 'id', product_id: 'id', ...product, ...price, quantity: '1' },
    },
    { table: 'catalog_search', columns: { product_id: 'id', words: `CONCAT('w0product w0item', n)` } },
  ];
}

function ordersTables(userId: string): readonly Filling[] {
  const where = `NOT ${isHeld}`;
  return [
    {
      table: 'orders_orders',
      columns: {
        ...{ id: 'id', reservation_id: 'id', currency: "'GBP'", total: '1000', pieces: '1', version: '1' },
        user_id: `CASE WHEN n % 3 = 0 THEN '${userId}' ELSE user_id END`,
        status: `CASE WHEN ${isCancelled} THEN 'cancelled' WHEN n % 50 = 1 THEN 'shipped' WHEN n % 100 = 2 THEN 'confirmed' ELSE 'delivered' END`,
        ...{ created_at: 'happened', updated_at: 'happened' },
        cancelled_at: `CASE WHEN ${isCancelled} THEN happened END`,
      },
      where,
    },
    {
      table: 'orders_lines',
      columns: {
        ...{ order_id: 'id', line_number: '1', product_id: 'id', sku: `CONCAT('LARGE-', n)`, name: `CONCAT('Product ', n)` },
        ...{ unit_price: '1000', quantity: '1' },
      },
      where,
    },
    {
      table: 'orders_history',
      columns: { order_id: 'id', sequence: '1', status: "'placed'", actor: "'customer'", created_at: 'happened' },
      where,
    },
    {
      table: 'orders_claims',
      columns: {
        ...{ reservation_id: 'id', kind: `CASE WHEN ${isVoid} THEN 'void' ELSE 'order' END`, user_id: 'user_id' },
        ...{ order_id: `CASE WHEN NOT ${isVoid} THEN id END`, fingerprint: "'fingerprint'", created_at: 'happened' },
      },
      where,
    },
    {
      table: 'orders_outbox',
      columns: {
        ...{ id: 'id', order_id: 'id', type: "'order.placed'", sequence: '1', created_at: 'happened', leased_by: 'id' },
        leased_until: 'happened',
        published_at: `CASE WHEN NOT ${isDead} THEN happened END`,
        dead_at: `CASE WHEN ${isDead} THEN happened END`,
      },
      where,
    },
    { table: 'orders_inbox', columns: { consumer: "'settlement'", event_id: 'id', received_at: 'happened' } },
  ];
}

/** All but the last two days are closed. */
async function fillDays(tx: Sql): Promise<void> {
  const closed = Array.from({ length: days - 2 }, (_, place) =>
    new Date(Date.now() - (days - place) * dayMs).toISOString().slice(0, 10),
  );
  await tx.run(`INSERT INTO orders_closed_days (day) VALUES ${placeholders(closed.length, 1)}`, closed);
  const facts = ['placed_count', 'placed_pieces', 'placed_total', 'cancelled_count', 'cancelled_pieces', 'cancelled_total'];
  await tx.run(
    `INSERT INTO orders_days (day, currency, ${facts.join(', ')}) SELECT day, 'GBP', ${facts.map(() => "'1'").join(', ')} FROM orders_closed_days`,
  );
}

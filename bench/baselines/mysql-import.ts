import { json } from 'node:stream/consumers';
import mysql from 'mysql2/promise';
import { newId } from '../../src/shared/identifier.ts';
import { type Numbers, numberedProduct } from '../product-stream.ts';

/** What is inserted, as JSON on the standard input. */
export interface ProductInserts extends Numbers {
  /** of MariaDB, with the tables of the shop */
  readonly database: string;
}

export interface ProductInsertsResult {
  readonly seconds: number;
}

/** By hand: multi-row inserts into the four tables of a product, one transaction for each batch, without HTTP and without any check. */
const rowsPerStatement = 256;

type Cell = string | number | null;

const { database, first, count } = (await json(process.stdin)) as ProductInserts; // what transfer-baselines.ts writes
const connection = await mysql.createConnection(database);
const startedAt = performance.now();
for (let done = 0; done < count; done += rowsPerStatement) {
  await connection.query('START TRANSACTION');
  for (const [into, rows] of Object.entries(rowsOf(first + done, Math.min(rowsPerStatement, count - done))))
    await connection.query(`INSERT INTO ${into} VALUES ${placeholdersOf(rows)}`, rows.flat());
  await connection.query('COMMIT');
}
const result: ProductInsertsResult = { seconds: (performance.now() - startedAt) / 1000 };
await connection.end();
process.stdout.write(JSON.stringify(result));

function placeholdersOf(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `(${row.map(() => '?').join(',')})`).join(',');
}

/** The rows of one batch by table. */
function rowsOf(from: number, many: number): Readonly<Record<string, readonly (readonly Cell[])[]>> {
  const time = new Date().toISOString().slice(0, 23).replace('T', ' ');
  const products = Array.from({ length: many }, (_, index) => ({ id: newId(), ...JSON.parse(numberedProduct(from + index)) }));
  return {
    'catalog_products (id, sku, live_sku, name, name_key, description, category, attributes, price_amount, price_currency, version, created_at, updated_at)':
      products.map(({ id, sku, name, description, category, attributes, price }) => [
        ...[id, sku, sku, name, name.toLowerCase(), description, category, JSON.stringify(attributes)],
        ...[price.amount, price.currency, 1, time, time],
      ]),
    'catalog_stock (product_id, on_hand, reserved, version)': products.map(({ id, initialStock }) => [id, initialStock, 0, 1]),
    'catalog_stock_movements (id, product_id, kind, delta, created_at)': products.map(({ id, initialStock }) => [
      ...[newId(), id, 'initial', initialStock, time],
    ]),
    'catalog_search (product_id, words)': products.map(({ id, name, sku, category, description }) => [
      id,
      [...new Set(`${name} ${sku} ${category} ${description}`.toLowerCase().match(/\w+/g))].map((word) => `w0${word}`).join(' '),
    ]),
  };
}

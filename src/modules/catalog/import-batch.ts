import { byIndex, forUpdate, placeholders, type Sql } from '../../shared/database.ts';
import { newId } from '../../shared/identifier.ts';
import { fromSql, toSql } from '../../shared/instant.ts';
import type { ProductRecord } from './catalog-models.ts';
import { fieldsOf } from './product.ts';
import { columnsOf, productColumns, writtenColumns } from './product-columns.ts';
import type { ProductInput } from './product-rows.ts';
import { insertSearchTexts, updateSearchTexts } from './product-search.ts';
import { oneList, padded } from './reservation-store.ts';
import { insertMovements } from './stock-movements.ts';

export interface ImportBatch {
  /** each sku once */
  readonly products: readonly ProductInput[];
  /** the user who imports */
  readonly createdBy: string;
  /** milliseconds since 1970 */
  readonly at: number;
}

export interface BatchResult {
  readonly created: number;
  readonly updated: readonly { readonly id: string; readonly version: number }[];
  readonly unchanged: number;
}

/**
 * Writes the products of a batch, found by their skus: new ones with their stock, others as a whole but for the stock, which
 * belongs to the stock routes. What is like this already is left alone. Belongs in a transaction of its own; rows are locked and written in the order of the
 * skus, so that two imports do not wait for each other in a circle.
 * @throws a duplicate key when somebody else adds one of the skus at the same time: then the batch can be written again
 */
export async function writeBatch(tx: Sql, { products, createdBy, at }: ImportBatch): Promise<BatchResult> {
  const sorted = products.toSorted((one, other) => (one.sku < other.sku ? -1 : 1));
  const existing = await lockExisting(
    tx,
    sorted.map(({ sku }) => sku),
  );
  const created: ProductInput[] = [];
  const changed: { readonly product: ProductInput; readonly from: ProductRecord }[] = [];
  for (const product of sorted) {
    const from = existing.get(product.sku);
    if (from === undefined) created.push(product);
    else if (differs(product, from)) changed.push({ product, from });
  }
  await insertProducts(tx, { products: created, createdBy, at });
  await updateProducts(tx, changed, at);
  return {
    created: created.length,
    updated: changed.map(({ from: { id, version } }) => ({ id, version: version + 1 })),
    unchanged: sorted.length - created.length - changed.length,
  };
}

async function lockExisting(tx: Sql, skus: readonly string[]): Promise<ReadonlyMap<string, ProductRecord>> {
  const rows = await tx.rows<ProductRecord>(
    `SELECT ${productColumns} FROM catalog_products${byIndex(tx, 'catalog_products_live_sku')}
      WHERE live_sku IN ${oneList(skus)} ORDER BY live_sku${forUpdate(tx)}`,
    padded(skus),
  );
  return new Map(rows.map((row) => [row.sku, row]));
}

function differs(product: ProductInput, from: ProductRecord): boolean {
  const columns = columnsOf(fieldsOf(product));
  return writtenColumns.some(({ name }) =>
    name === 'attributes' ? sortedText(columns.attributes) !== sortedText(from.attributes) : columns[name] !== from[name],
  );
}

/** The members of a JSON object have no order. */
function sortedText(json: string): string {
  return JSON.stringify(Object.entries(JSON.parse(json)).sort(([one], [other]) => (one < other ? -1 : 1)));
}

async function insertProducts(tx: Sql, { products, createdBy, at }: ImportBatch): Promise<void> {
  if (products.length === 0) return;
  const time = toSql(new Date(at));
  const rows = products.map((product) => ({ id: newId(at), product, fields: fieldsOf(product) }));
  await tx.run(
    `INSERT INTO catalog_products (id, live_sku, version, created_at, updated_at, ${columnList})
      VALUES ${placeholders(rows.length, 5 + writtenColumns.length)}`,
    rows.flatMap(({ id, fields }) => {
      const columns = columnsOf(fields);
      return [id, columns.sku, 1, time, time, ...writtenColumns.map(({ name }) => columns[name])];
    }),
  );
  await tx.run(
    `INSERT INTO catalog_stock (product_id, on_hand, reserved, version) VALUES ${placeholders(rows.length, 4)}`,
    rows.flatMap(({ id, product }) => [id, product.initialStock, 0, 1]),
  );
  const createdAt = fromSql(time);
  await insertMovements(
    tx,
    rows
      .filter(({ product }) => product.initialStock > 0)
      .map(({ id, product }) => ({
        ...{ id: newId(at), productId: id, kind: 'initial', delta: product.initialStock, createdBy, createdAt },
      })),
  );
  await insertSearchTexts(
    tx,
    rows.map(({ id, fields }) => ({ productId: id, fields })),
  );
}

async function updateProducts(
  tx: Sql,
  changed: readonly { readonly product: ProductInput; readonly from: ProductRecord }[],
  at: number,
): Promise<void> {
  if (changed.length === 0) return;
  const time = toSql(new Date(at));
  const rows = changed.map(({ product, from: { id } }) => {
    const columns = columnsOf(fieldsOf(product));
    return [id, ...writtenColumns.map(({ name }) => columns[name])];
  });
  await tx.run(tx.dialect === 'mysql' ? updateOnMysql : updateOnSqlite, [JSON.stringify(rows), time]);
  await updateSearchTexts(
    tx,
    changed.map(({ product, from: { id } }) => ({ productId: id, fields: fieldsOf(product) })),
  );
}

const columnList = writtenColumns.map(({ column }) => column).join(', ');
const assignments = (prefix: string) => writtenColumns.map(({ column }) => `${prefix}${column} = d.${column}`).join(', ');

// One JSON text for all rows: one prepared statement, whatever the size of the batch. What does not fit a column is an error, and never lost.
const updateOnMysql = `
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
      id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$[0]' ERROR ON ERROR,
      ${writtenColumns.map(({ column, type }, index) => `${column} ${type} PATH '$[${index + 1}]' ERROR ON ERROR`).join(', ')})) d
    STRAIGHT_JOIN catalog_products p FORCE INDEX (PRIMARY) ON p.id = d.id
  SET ${assignments('p.')}, p.version = p.version + 1, p.updated_at = ?`;

const updateOnSqlite = `
  UPDATE catalog_products AS p SET ${assignments('')}, version = p.version + 1, updated_at = ?2
  FROM (SELECT json_extract(value, '$[0]') AS id,
      ${writtenColumns.map(({ column }, index) => `json_extract(value, '$[${index + 1}]') AS ${column}`).join(', ')} FROM json_each(?1)) AS d
  WHERE p.id = d.id`;

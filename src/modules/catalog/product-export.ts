import { guarded, writeCsvRecord } from '../../shared/csv.ts';
import { byIndex, type Database } from '../../shared/database.ts';
import { withDeadline } from '../../shared/deadline.ts';
import { type WrittenColumns, writtenColumns } from './product-columns.ts';
import { type CsvColumn, csv, csvColumns } from './product-transfer-schema.ts';

const rowsPerPage = 500;
const pageTimeoutMs = 5000;

/** What an import takes, and no more: each column is read, sent and made for all products. */
const exportedColumns = writtenColumns
  .filter(({ name }) => name !== 'nameKey')
  .map(({ name, column }) => `${column} AS ${name}`)
  .join(', ');

type ExportedRow = Omit<WrittenColumns, 'nameKey'> & { readonly onHand: number };

/**
 * All products in the order of their skus, in the form in which they are imported: importing the text into an empty shop and
 * exporting that gives the same text. Each page is a read of its own, so a product that is edited meanwhile comes as it was or as it is.
 */
export async function* exportProducts(db: Database, type: string): AsyncGenerator<string> {
  const write = type === csv ? csvOf : ndjsonOf;
  let first = type === csv ? writeCsvRecord(csvColumns) : '';
  for (let page = startPage(db, ''); ; ) {
    const rows = await page;
    const last = rows.at(-1);
    // the database reads on while this page is written
    const next = rows.length < rowsPerPage || last === undefined ? undefined : startPage(db, last.sku);
    const text = first + rows.map(write).join('');
    if (text !== '') yield text;
    first = '';
    if (next === undefined) return;
    page = next;
  }
}

function startPage(db: Database, after: string): Promise<readonly ExportedRow[]> {
  const page = withDeadline(pageTimeoutMs, () => readPage(db, after));
  // nobody waits for it any more when the client has left
  page.catch(() => {});
  return page;
}

function readPage(db: Database, after: string): Promise<readonly ExportedRow[]> {
  return db.rows<ExportedRow>(
    `SELECT ${exportedColumns}, (SELECT on_hand FROM catalog_stock WHERE product_id = catalog_products.id) AS onHand
      FROM catalog_products${byIndex(db, 'catalog_products_live_sku')} WHERE live_sku > ? ORDER BY live_sku LIMIT ${rowsPerPage}`,
    [after],
  );
}

function ndjsonOf({ sku, name, priceAmount, priceCurrency, description, category, attributes, onHand }: ExportedRow): string {
  // attributes are JSON already, in the order of whoever wrote them
  const head = JSON.stringify({
    sku,
    name,
    price: { amount: priceAmount, currency: priceCurrency },
    ...(description !== null && { description }),
    ...(category !== null && { category }),
  });
  return `${head.slice(0, -1)},"attributes":${attributes},"initialStock":${onHand}}\n`;
}

function csvOf({ sku, name, priceAmount, priceCurrency, description, category, attributes, onHand }: ExportedRow): string {
  const cells: Readonly<Record<CsvColumn, string | undefined>> = {
    sku: guarded(sku),
    name: guarded(name),
    priceAmount: String(priceAmount),
    priceCurrency,
    description: description === null ? undefined : guarded(description),
    category: category === null ? undefined : guarded(category),
    attributes: attributes === '{}' ? undefined : attributes,
    initialStock: String(onHand),
  };
  return writeCsvRecord(csvColumns.map((column) => cells[column]));
}

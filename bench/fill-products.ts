import { type Database, type Param, placeholders, type Sql } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { toSql } from '../src/shared/instant.ts';

export interface Product {
  readonly id: string;
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly price: number;
  /** milliseconds since 1970 */
  readonly at: number;
  /** what orders have changed */
  moved: number;
  reserved: number;
}

const rowsPerStatement = 500;
const initialStock = 1_000_000_000;
const categoryCount = 50;

/** How many products have a word of that name: all, one in seven, one in ten, one in five hundred. The sku is a word of one product alone. */
const words = { wool: 7, blue: 10, hemp: 500 } as const;

/** Products made one a second until `end`. */
export function makeShelf(count: number, end: number): readonly Product[] {
  return Array.from({ length: count }, (_, number) => {
    const at = end - (count - number) * 1000;
    const own = Object.entries(words).filter(([, every]) => number % every === 0);
    return {
      ...{ id: newId(at), sku: `SKU-${number}`, category: `Category ${number % categoryCount}`, price: 100 + (number % 900), at },
      name: ['Product', ...own.map(([word]) => word), `P${number}`].join(' '),
      ...{ moved: 0, reserved: 0 },
    };
  });
}

/** With their stock, its first movement, and the words that find them. */
export async function insertProducts(db: Database, shelf: readonly Product[]): Promise<void> {
  for (let done = 0; done < shelf.length; done += rowsPerStatement)
    await db.transaction((tx) => insertSome(tx, shelf.slice(done, done + rowsPerStatement)), { unhurried: true });
}

async function insertSome(tx: Sql, products: readonly Product[]): Promise<void> {
  const insert = (into: string, rows: readonly (readonly Param[])[]) =>
    tx.run(`INSERT INTO ${into} VALUES ${placeholders(rows.length, rows[0]?.length ?? 0)}`, rows.flat());
  await insert(
    'catalog_products (id, sku, live_sku, name, name_key, category, attributes, price_amount, price_currency, version, created_at, updated_at)',
    products.map(({ id, sku, name, category, price, at }) => {
      return [id, sku, sku, name, name.toLowerCase(), category, '{}', price, 'GBP', 1, toSql(new Date(at)), toSql(new Date(at))];
    }),
  );
  await insert(
    'catalog_stock (product_id, on_hand, reserved, version)',
    products.map(({ id, moved, reserved }) => [id, initialStock + moved, reserved, 1]),
  );
  await insert(
    'catalog_stock_movements (id, product_id, kind, delta, created_at)',
    products.map(({ id, at }) => [newId(at), id, 'initial', initialStock, toSql(new Date(at))]),
  );
  await insert(
    'catalog_search (product_id, words)',
    products.map(({ id, name, sku, category }) => [id, searchText(`${name} ${sku} ${category}`)]),
  );
}

/** As the catalog writes plain words, of which none has a z. */
function searchText(text: string): string {
  return [...new Set(text.toLowerCase().match(/\w+/g))].map((word) => `w0${word}`).join(' ');
}

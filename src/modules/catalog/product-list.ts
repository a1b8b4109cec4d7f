import { z } from 'zod';
import { byIndex, idsParam, rowsOfIds, type Sql } from '../../shared/database.ts';
import { idParameter } from '../../shared/identifier.ts';
import { fromSql, toSql } from '../../shared/instant.ts';
import { decodeCursor, encodeCursor, type Page } from '../../shared/page.ts';
import type { ProductRecord } from './catalog-models.ts';
import { type Condition, type Keyset, keysetSql } from './keyset.ts';
import type { Product, StockLevel } from './product.ts';
import { productColumns, productOf } from './product-columns.ts';
import type { SortOrder } from './product-schema.ts';
import { matchingProducts } from './product-search.ts';
import { queryWords } from './search-words.ts';
import { stockLevel } from './stock-store.ts';
import { walkForWords } from './word-walk.ts';

export interface ProductQuery {
  readonly q?: string | undefined;
  readonly category?: string | undefined;
  readonly sku?: string | undefined;
  readonly minPrice?: number | undefined;
  readonly maxPrice?: number | undefined;
  readonly sort: SortOrder;
  readonly include?: 'stock' | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export type ListedProduct = Product & { readonly stock?: StockLevel };

/**
 * A page of products. A text `q` without any word finds nothing, as no product holds what was looked for.
 * @throws malformed for a cursor of another sort order
 */
export async function listProducts(sql: Sql, query: ProductQuery): Promise<Page<ListedProduct>> {
  const order = orders[query.sort];
  const [, key, id] = decodeCursor(query.cursor, order.cursor) ?? [];
  const after = key === undefined || id === undefined ? undefined : { key: order.toColumn(key), id };
  const words = query.q === undefined ? undefined : queryWords(query.q);
  if (words?.length === 0) return { data: [] };
  const position = { column: order.column, descending: query.sort.startsWith('-'), after };
  const records = await (words === undefined
    ? readStretch(sql, query, { ...position, index: await chooseIndex(sql, query, order) })
    : search(sql, query, { words, position, order }));
  const page = records.slice(0, query.limit);
  const last = page.at(-1);
  return {
    data: query.include === 'stock' ? await withStock(sql, page.map(productOf)) : page.map(productOf),
    ...(records.length > query.limit &&
      last !== undefined && { nextCursor: encodeCursor([query.sort, order.keyOf(last), last.id]) }),
  };
}

interface Search {
  readonly words: readonly string[];
  readonly position: Omit<Keyset, 'index'>;
  readonly order: Order;
}

/** Frequent words are found on the way through the order of the page, rare ones by the search, whose cost is what it finds. */
async function search(sql: Sql, query: ProductQuery, { words, position, order }: Search): Promise<readonly ProductRecord[]> {
  const { sku, minPrice, maxPrice } = query;
  const inOneStretch = order.column === byPrice.column || (minPrice === undefined && maxPrice === undefined);
  if (sku === undefined && inOneStretch) {
    const keyset = { ...position, index: await chooseIndex(sql, query, order) };
    const found = await walkForWords(sql, { words, conditions: conditionsOf(query), keyset, limit: query.limit + 1 });
    if (found !== undefined) return found;
  }
  return readStretch(sql, query, { ...position, words });
}

/** Those of a page in one statement. */
function readStretch(
  sql: Sql,
  query: ProductQuery,
  { words, ...position }: Keyset & { readonly words?: readonly string[] },
): Promise<readonly ProductRecord[]> {
  const keyset = keysetSql(sql, position);
  const found = words === undefined ? undefined : matchingProducts(sql, words);
  const conditions = [...(found === undefined ? [] : [found]), ...conditionsOf(query)];
  return sql.rows<ProductRecord>(
    `SELECT ${productColumns} FROM ${found?.from ?? `catalog_products${keyset.hint}`}
      WHERE deleted_at IS NULL${conditions.map(({ condition }) => ` AND ${condition}`).join('')}${keyset.where}
      ORDER BY ${keyset.orderBy} LIMIT ?`,
    [...conditions.flatMap(({ params }) => params), ...keyset.params, query.limit + 1],
  );
}

const fewProducts = 1000;

/**
 * A page is a stretch of the index of its order. A range of prices in another order may leave too little for that: few
 * products are read by their prices and sorted, of many some come soon in the order of the page.
 */
async function chooseIndex(sql: Sql, query: ProductQuery, order: Order): Promise<string> {
  const { sku, category, minPrice, maxPrice } = query;
  if (sku !== undefined) return 'catalog_products_live_sku';
  const indexFor = ({ index }: Pick<Order, 'index'>) => `catalog_products_${category === undefined ? '' : 'category_'}${index}`;
  if (order.column === byPrice.column || (minPrice === undefined && maxPrice === undefined)) return indexFor(order);
  const byPrices = indexFor(byPrice);
  const conditions = conditionsOf(query);
  const [found] = await sql.rows<{ count: number }>(
    `SELECT COUNT(*) AS count FROM (SELECT id FROM catalog_products${byIndex(sql, byPrices)}
      WHERE deleted_at IS NULL${conditions.map(({ condition }) => ` AND ${condition}`).join('')} LIMIT ${fewProducts}) found`,
    conditions.flatMap(({ params }) => params),
  );
  return (found?.count ?? 0) < fewProducts ? byPrices : indexFor(order);
}

interface Order {
  readonly column: string;
  /** the last part of the names of the indexes that end in this column */
  readonly index: string;
  readonly cursor: z.ZodType<readonly [string, string | number, string]>;
  readonly keyOf: (record: ProductRecord) => string | number;
  readonly toColumn: (key: string | number) => string | number;
}

const same = (key: string | number) => key;
const byName = { column: 'name_key', index: 'name', keyOf: ({ nameKey }: ProductRecord) => nameKey, toColumn: same };
const byPrice = {
  column: 'price_amount',
  index: 'price',
  keyOf: ({ priceAmount }: ProductRecord) => priceAmount,
  toColumn: same,
};
const byAge = {
  column: 'created_at',
  index: 'age',
  keyOf: ({ createdAt }: ProductRecord) => fromSql(createdAt),
  toColumn: (key: string | number) => toSql(new Date(key)),
};
const ordered = (sort: SortOrder, order: Omit<Order, 'cursor'>, key: z.ZodType<string | number>): Order => ({
  ...order,
  cursor: z.tuple([z.literal(sort), key, idParameter]),
});

const orders: Readonly<Record<SortOrder, Order>> = {
  name: ordered('name', byName, z.string()),
  '-name': ordered('-name', byName, z.string()),
  price: ordered('price', byPrice, z.int()),
  '-price': ordered('-price', byPrice, z.int()),
  createdAt: ordered('createdAt', byAge, z.iso.datetime()),
  '-createdAt': ordered('-createdAt', byAge, z.iso.datetime()),
};

function conditionsOf({ category, sku, minPrice, maxPrice }: ProductQuery): readonly Condition[] {
  const conditions: Condition[] = [];
  if (category !== undefined) conditions.push({ condition: 'category = ?', params: [category] });
  if (sku !== undefined) conditions.push({ condition: 'live_sku = ?', params: [sku] });
  if (minPrice !== undefined) conditions.push({ condition: 'price_amount >= ?', params: [minPrice] });
  if (maxPrice !== undefined) conditions.push({ condition: 'price_amount <= ?', params: [maxPrice] });
  return conditions;
}

async function withStock(sql: Sql, products: readonly Product[]): Promise<readonly ListedProduct[]> {
  if (products.length === 0) return [];
  const rows = await sql.rows<{ product_id: string; on_hand: number; reserved: number }>(
    `SELECT product_id, on_hand, reserved FROM ${rowsOfIds(sql, 'catalog_stock', 'product_id')}`,
    [idsParam(products.map(({ id }) => id))],
  );
  const levels = new Map(rows.map((row) => [row.product_id, stockLevel(row.on_hand, row.reserved)]));
  return products.map((product) => ({ ...product, stock: levels.get(product.id) ?? stockLevel(0, 0) }));
}

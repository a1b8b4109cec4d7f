import { type Param, placeholders, type Sql } from '../../shared/database.ts';
import type { ProductFields } from './product.ts';
import { indexedWords } from './search-words.ts';

/** The only file that knows how the two stores search for words. The words are encoded by search-words.ts. */

/**
 * Where to read products from that hold words with all of these beginnings, and the condition that says so. The search comes
 * first and the products after it by their keys: a planner would rather go through all products in the order that is asked for.
 */
export function matchingProducts(
  { dialect }: Pick<Sql, 'dialect'>,
  words: readonly string[],
): { readonly from: string; readonly condition: string; readonly params: readonly Param[] } {
  if (dialect === 'mysql') {
    return {
      from: 'catalog_search STRAIGHT_JOIN catalog_products ON id = product_id',
      condition: 'MATCH (words) AGAINST (? IN BOOLEAN MODE)',
      params: [words.map((word) => `+${word}*`).join(' ')],
    };
  }
  return {
    from: 'catalog_search_index CROSS JOIN catalog_search ON search_id = catalog_search_index.rowid CROSS JOIN catalog_products ON id = product_id',
    condition: 'catalog_search_index MATCH ?',
    params: [words.map((word) => `${word}*`).join(' ')],
  };
}

/** The same for a product at hand, in a query of its row of `catalog_search`. */
export function wordsCondition(words: readonly string[]): { readonly condition: string; readonly params: readonly Param[] } {
  return {
    condition: words.map(() => "CONCAT(' ', words) LIKE ?").join(' AND '),
    // letters and digits only: nothing of them is a wildcard
    params: words.map((word) => `% ${word}%`),
  };
}

/** Belongs in the transaction that writes the product. */
export async function insertSearchText(tx: Sql, productId: string, fields: ProductFields): Promise<void> {
  await insertSearchTexts(tx, [{ productId, fields }]);
}

interface SearchedProduct {
  readonly productId: string;
  readonly fields: ProductFields;
}

export async function insertSearchTexts(tx: Sql, products: readonly SearchedProduct[]): Promise<void> {
  await tx.run(
    `INSERT INTO catalog_search (product_id, words) VALUES ${placeholders(products.length, 2)}`,
    products.flatMap(({ productId, fields }) => [productId, searchText(fields)]),
  );
}

export async function updateSearchText(tx: Sql, productId: string, fields: ProductFields): Promise<void> {
  await tx.run('UPDATE catalog_search SET words = ? WHERE product_id = ?', [searchText(fields), productId]);
}

export async function updateSearchTexts(tx: Sql, products: readonly SearchedProduct[]): Promise<void> {
  const rows = products.map(({ productId, fields }) => [productId, searchText(fields)]);
  await tx.run(tx.dialect === 'mysql' ? updateOnMysql : updateOnSqlite, [JSON.stringify(rows)]);
}

const updateOnMysql = `
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
      product_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$[0]' ERROR ON ERROR,
      words MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]' ERROR ON ERROR)) d
    STRAIGHT_JOIN catalog_search s FORCE INDEX (PRIMARY) ON s.product_id = d.product_id
  SET s.words = d.words`;

const updateOnSqlite = `
  UPDATE catalog_search AS s SET words = d.words
  FROM (SELECT json_extract(value, '$[0]') AS product_id, json_extract(value, '$[1]') AS words FROM json_each(?)) AS d
  WHERE s.product_id = d.product_id`;

export async function deleteSearchText(tx: Sql, productId: string): Promise<void> {
  await tx.run('DELETE FROM catalog_search WHERE product_id = ?', [productId]);
}

function searchText({ sku, name, category, description }: ProductFields): string {
  return indexedWords([name, sku, category, description]);
}

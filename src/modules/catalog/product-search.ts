import type { Param, Sql } from '../../shared/database.ts';
import type { ProductFields } from './product.ts';
import { indexedWords } from './search-words.ts';

/** The only file that knows how the two stores search for words. The words are encoded by search-words.ts. */

/** A condition on the column `id` of products: those that hold words with all of these beginnings. */
export function matchesWords(
  { dialect }: Pick<Sql, 'dialect'>,
  words: readonly string[],
): { readonly sql: string; readonly params: readonly Param[] } {
  if (dialect === 'mysql') {
    return {
      sql: 'id IN (SELECT product_id FROM catalog_search WHERE MATCH (words) AGAINST (? IN BOOLEAN MODE))',
      params: [words.map((word) => `+${word}*`).join(' ')],
    };
  }
  return {
    sql: 'id IN (SELECT product_id FROM catalog_search WHERE search_id IN (SELECT rowid FROM catalog_search_index WHERE catalog_search_index MATCH ?))',
    params: [words.map((word) => `${word}*`).join(' ')],
  };
}

/** Belongs in the transaction that writes the product. */
export async function insertSearchText(tx: Sql, productId: string, fields: ProductFields): Promise<void> {
  await tx.run('INSERT INTO catalog_search (product_id, words) VALUES (?, ?)', [productId, searchText(fields)]);
}

export async function updateSearchText(tx: Sql, productId: string, fields: ProductFields): Promise<void> {
  await tx.run('UPDATE catalog_search SET words = ? WHERE product_id = ?', [searchText(fields), productId]);
}

export async function deleteSearchText(tx: Sql, productId: string): Promise<void> {
  await tx.run('DELETE FROM catalog_search WHERE product_id = ?', [productId]);
}

function searchText({ sku, name, category, description }: ProductFields): string {
  return indexedWords([name, sku, category, description]);
}

import { idsParam, rowsOfIds, type Sql } from '../../shared/database.ts';
import type { ProductRecord } from './catalog-models.ts';
import { type Condition, type Keyset, keysetSql } from './keyset.ts';
import { productColumns } from './product-columns.ts';
import { wordsCondition } from './product-search.ts';

export interface WordWalk {
  readonly words: readonly string[];
  readonly conditions: readonly Condition[];
  /** with the index of the order */
  readonly keyset: Keyset;
  /** how many products are wanted */
  readonly limit: number;
}

/** tells frequent words from rare ones, and is often enough for a page of frequent ones */
const sampleRows = 200;
const mostRows = 8000;

/**
 * The next products with all of the words, found by going through the products in the order of the page: the quick way when many
 * have the words, however many there are. A stretch of 200 tells; undefined: they are too rare for that, and the search has to find them.
 */
export async function walkForWords(sql: Sql, walk: WordWalk): Promise<readonly ProductRecord[] | undefined> {
  const sample = await lookAt(sql, walk, sampleRows);
  if (sample.rows < sampleRows || sample.found.length >= walk.limit) return productsOf(sql, sample.found.slice(0, walk.limit));
  // one hit may be chance
  if (sample.found.length < 2) return undefined;
  const missing = walk.limit - sample.found.length;
  const further = Math.min(mostRows, Math.ceil((2 * missing * sampleRows) / sample.found.length));
  const rest = await lookAt(sql, { ...walk, keyset: { ...walk.keyset, after: sample.last } }, further);
  const found = [...sample.found, ...rest.found];
  return rest.rows < further || found.length >= walk.limit ? productsOf(sql, found.slice(0, walk.limit)) : undefined;
}

interface Found {
  readonly id: string;
  readonly version: number;
}

interface Stretch {
  readonly rows: number;
  /** those with the words, in order */
  readonly found: readonly Found[];
  readonly last: Keyset['after'];
}

async function lookAt(sql: Sql, { words, conditions, keyset }: WordWalk, most: number): Promise<Stretch> {
  const { hint, where, params, orderBy } = keysetSql(sql, keyset);
  const search = wordsCondition(words);
  const rows = await sql.rows<Found & { readonly sortKey: string | number; readonly has: number }>(
    `SELECT id, version, ${keyset.column} AS sortKey, (SELECT COUNT(*) FROM catalog_search WHERE product_id = catalog_products.id AND ${search.condition}) AS has
      FROM catalog_products${hint} WHERE deleted_at IS NULL${conditions.map(({ condition }) => ` AND ${condition}`).join('')}${where}
      ORDER BY ${orderBy} LIMIT ?`,
    [...search.params, ...conditions.flatMap((one) => one.params), ...params, most],
  );
  const last = rows.at(-1);
  return {
    rows: rows.length,
    found: rows.filter(({ has }) => has > 0),
    last: last && { key: last.sortKey, id: last.id },
  };
}

/** Undefined when one of them was edited or deleted since it was found: then it may belong elsewhere. */
async function productsOf(sql: Sql, found: readonly Found[]): Promise<readonly ProductRecord[] | undefined> {
  if (found.length === 0) return [];
  const rows = await sql.rows<ProductRecord>(
    `SELECT ${productColumns} FROM ${rowsOfIds(sql, 'catalog_products', 'id')} WHERE deleted_at IS NULL`,
    [idsParam(found.map(({ id }) => id))],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const products = found.map(({ id, version }) => (byId.get(id)?.version === version ? byId.get(id) : undefined));
  return products.includes(undefined) ? undefined : products.filter((product) => product !== undefined);
}

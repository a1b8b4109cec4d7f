import { placeholders, type Sql } from '../../shared/database.ts';
import type { IdRange } from '../../shared/id-range.ts';
import { keysetSql } from './keyset.ts';

const reservationsPerStep = 500;

/** Adds up what is held of the products in a range. Exact only inside a snapshot. `between` is called after each step. */
export async function sumHeld(
  sql: Sql,
  { after, upTo }: IdRange,
  between: () => Promise<void>,
): Promise<ReadonlyMap<string, bigint>> {
  const sums = new Map<string, bigint>();
  for (let last: { key: string; id: string } | undefined; ; ) {
    const keyset = keysetSql(sql, {
      ...{ column: 'created_at', index: 'catalog_reservations_state', descending: false },
      after: last,
    });
    const held = await sql.rows<{ id: string; created_at: string }>(
      `SELECT id, created_at FROM catalog_reservations${keyset.hint} WHERE state = 'held'${keyset.where}
       ORDER BY ${keyset.orderBy} LIMIT ${reservationsPerStep}`,
      keyset.params,
    );
    if (held.length > 0) await addLines(sql, { ids: held.map(({ id }) => id), after, upTo, sums });
    const end = held.at(-1);
    if (end === undefined || held.length < reservationsPerStep) return sums;
    last = { key: end.created_at, id: end.id };
    await between();
  }
}

async function addLines(
  sql: Sql,
  { ids, after, upTo, sums }: IdRange & { readonly ids: readonly string[]; readonly sums: Map<string, bigint> },
): Promise<void> {
  const rows = await sql.rows<{ product_id: string; total: string }>(
    `SELECT product_id, CAST(SUM(quantity) AS CHAR(40)) AS total FROM catalog_reservation_lines
     WHERE reservation_id IN ${placeholders(1, ids.length)} AND product_id > ? AND product_id <= ? GROUP BY product_id`,
    [...ids, after, upTo],
  );
  for (const { product_id, total } of rows) sums.set(product_id, (sums.get(product_id) ?? 0n) + BigInt(total));
}

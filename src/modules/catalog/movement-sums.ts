import { placeholders, type Sql } from '../../shared/database.ts';
import { keysetSql } from './keyset.ts';

/** A stretch of the ledger by the times of its entries, from `from` on and before `until`. */
export interface LedgerSpan {
  readonly from?: string;
  readonly until?: string;
}

export interface LedgerSum {
  readonly total: bigint;
  readonly movements: number;
}

/** no statement reads more of the ledger than this, also where one product has millions of entries */
const maxRows = 2000;
const index = 'catalog_stock_movements_ledger';

/** Adds up the movements of products. `between` is called after each statement. */
export async function sumMovements(
  sql: Sql,
  { ids, span }: { readonly ids: readonly string[]; readonly span: LedgerSpan },
  between: () => Promise<void>,
): Promise<ReadonlyMap<string, LedgerSum>> {
  const sums = new Map<string, LedgerSum>();
  for (let done = 0, size = ids.length; done < ids.length; ) {
    const group = ids.slice(done, done + size);
    const rows = await sumGroup(sql, group, span);
    const movements = rows.reduce((sum, row) => sum + row.many, 0);
    if (movements <= maxRows) {
      for (const row of rows) sums.set(row.product_id, { total: BigInt(row.total), movements: row.many });
      done += group.length;
      if (movements < maxRows / 4) size *= 2;
    } else if (group.length === 1) {
      for (const id of group) sums.set(id, await sumOne(sql, { id, span }, between));
      done += 1;
    } else {
      size = Math.max(1, Math.floor(group.length / 4));
    }
    await between();
  }
  return sums;
}

/** Of at most one more than `maxRows` movements: then the sums are worth nothing, and the group has to be smaller. */
function sumGroup(sql: Sql, ids: readonly string[], span: LedgerSpan) {
  const { condition, params } = conditionOf(span);
  const hint = sql.dialect === 'mysql' ? ` FORCE INDEX (${index})` : '';
  return sql.rows<{ product_id: string; total: string; many: number }>(
    `SELECT product_id, CAST(SUM(delta) AS CHAR(40)) AS total, COUNT(*) AS many FROM (
       SELECT product_id, delta FROM catalog_stock_movements${hint}
       WHERE product_id IN ${placeholders(1, ids.length)}${condition} LIMIT ${maxRows + 1}) m GROUP BY product_id`,
    [...ids, ...params],
  );
}

async function sumOne(
  sql: Sql,
  { id, span }: { readonly id: string; readonly span: LedgerSpan },
  between: () => Promise<void>,
): Promise<LedgerSum> {
  const { condition, params } = conditionOf(span);
  let total = 0n;
  let movements = 0;
  for (let after: { key: string; id: string } | undefined; ; ) {
    const keyset = keysetSql(sql, { column: 'created_at', index, descending: false, after });
    const [row] = await sql.rows<{ total: string | null; many: number; last: string | null }>(
      `SELECT CAST(SUM(delta) AS CHAR(40)) AS total, COUNT(*) AS many, MAX(CONCAT(created_at, ' ', id)) AS last FROM (
         SELECT created_at, id, delta FROM catalog_stock_movements${keyset.hint}
         WHERE product_id = ?${condition}${keyset.where} ORDER BY ${keyset.orderBy} LIMIT ${maxRows}) m`,
      [id, ...params, ...keyset.params],
    );
    if (!row?.last) return { total, movements };
    total += BigInt(row.total ?? 0);
    movements += row.many;
    const idAt = row.last.lastIndexOf(' ') + 1;
    after = { key: row.last.slice(0, idAt - 1), id: row.last.slice(idAt) };
    await between();
  }
}

function conditionOf({ from, until }: LedgerSpan): { condition: string; params: string[] } {
  return {
    condition: `${from === undefined ? '' : ' AND created_at >= ?'}${until === undefined ? '' : ' AND created_at < ?'}`,
    params: [from, until].filter((time) => time !== undefined),
  };
}

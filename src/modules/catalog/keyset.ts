import type { Param, Sql } from '../../shared/database.ts';

export interface Keyset {
  readonly column: string;
  readonly descending: boolean;
  /** the last row of the page before */
  readonly after: { readonly key: string | number; readonly id: string } | undefined;
}

/** The rows after a position in the order of (column, id), and that order. Served by an index that ends in these two columns. */
export function keysetSql(
  { dialect }: Pick<Sql, 'dialect'>,
  { column, descending, after }: Keyset,
): { where: string; params: Param[]; orderBy: string } {
  const orderBy = descending ? `${column} DESC, id DESC` : `${column}, id`;
  if (after === undefined) return { where: '', params: [], orderBy };
  const beyond = descending ? '<' : '>';
  // Each planner finds the range in one of the two forms only.
  if (dialect === 'sqlite') return { where: ` AND (${column}, id) ${beyond} (?, ?)`, params: [after.key, after.id], orderBy };
  return {
    where: ` AND (${column} ${beyond} ? OR (${column} = ? AND id ${beyond} ?))`,
    params: [after.key, after.key, after.id],
    orderBy,
  };
}

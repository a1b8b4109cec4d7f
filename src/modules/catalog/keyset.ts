import { byIndex, type Param, type Sql } from '../../shared/database.ts';

/** Belongs behind `WHERE … AND`. */
export interface Condition {
  readonly condition: string;
  readonly params: readonly Param[];
}

export interface Keyset {
  readonly column: string;
  /** the index that serves the query; absent for a search, which begins with the words */
  readonly index?: string | undefined;
  readonly descending: boolean;
  /** the last row of the page before */
  readonly after: { readonly key: string | number; readonly id: string } | undefined;
}

/**
 * The rows after a position in the order of (column, id), and that order. Served by an index that ends in these two columns;
 * `hint` belongs behind the table's name.
 */
export function keysetSql(
  sql: Pick<Sql, 'dialect'>,
  { column, index, descending, after }: Keyset,
): { hint: string; where: string; params: Param[]; orderBy: string } {
  const orderBy = descending ? `${column} DESC, id DESC` : `${column}, id`;
  // MariaDB would rather read everything in front of the page by the first columns of the very same index.
  const hint = byIndex(sql, index);
  if (after === undefined) return { hint, where: '', params: [], orderBy };
  const beyond = descending ? '<' : '>';
  // Each planner finds the range in one of the two forms only.
  if (sql.dialect === 'sqlite')
    return { hint, where: ` AND (${column}, id) ${beyond} (?, ?)`, params: [after.key, after.id], orderBy };
  return {
    hint,
    where: ` AND (${column} ${beyond} ? OR (${column} = ? AND id ${beyond} ?))`,
    params: [after.key, after.key, after.id],
    orderBy,
  };
}

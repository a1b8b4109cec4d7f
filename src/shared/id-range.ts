import type { Sql } from './sql.ts';

/** A stretch of ids: those behind `after`, up to `upTo`. */
export interface IdRange {
  readonly after: string;
  readonly upTo: string;
}

/** Sorts behind every id. */
export const lastId = '~';

export interface RangeRead<R> {
  /** up to and without WHERE */
  readonly select: string;
  /** the column whose stretch is read; an index begins with it */
  readonly key: string;
  /** what sorts rows of one key */
  readonly orderBy?: string;
  readonly keyOf: (row: R) => string;
  readonly range: IdRange;
  /** no more rows than this are read */
  readonly max: number;
}

/**
 * The first rows of a range, and the part of the range that they cover: all rows of a key are there, or none. Only a key that
 * has more rows than `max` by itself comes incomplete.
 */
export async function readRange<R>(
  sql: Sql,
  { select, key, orderBy, keyOf, range, max }: RangeRead<R>,
): Promise<{ readonly rows: readonly R[]; readonly range: IdRange }> {
  const rows = await sql.rows<R>(
    `${select} WHERE ${key} > ? AND ${key} <= ? ORDER BY ${key}${orderBy === undefined ? '' : `, ${orderBy}`} LIMIT ${max}`,
    [range.after, range.upTo],
  );
  const last = rows.at(-1);
  if (last === undefined || rows.length < max) return { rows, range };
  const lastKey = keyOf(last);
  const complete = orderBy === undefined ? rows : rows.filter((row) => keyOf(row) !== lastKey);
  const lastComplete = complete.at(-1);
  if (lastComplete === undefined) return { rows, range: { ...range, upTo: lastKey } };
  return { rows: complete, range: { ...range, upTo: keyOf(lastComplete) } };
}

/** What lies in a range, of rows that were read before the range was known. */
export function within<R>(rows: readonly R[], keyOf: (row: R) => string, { upTo }: IdRange): readonly R[] {
  return rows.filter((row) => keyOf(row) <= upTo);
}

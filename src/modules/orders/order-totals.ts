import { placeholders, type Sql } from '../../shared/database.ts';
import { firstIdAt } from '../../shared/identifier.ts';
import { fromSql } from '../../shared/instant.ts';

/**
 * Facts of one currency, as counted from the orders or kept since their day or hour was closed. A sum of totals may go beyond what
 * a number holds exactly; answers round then, what is kept does not.
 */
export interface Totals {
  readonly currency: string;
  readonly placed_count: bigint;
  readonly placed_pieces: bigint;
  readonly placed_total: bigint;
  readonly cancelled_count: bigint;
  readonly cancelled_pieces: bigint;
  readonly cancelled_total: bigint;
}

const factNames = [
  'placed_count',
  'placed_pieces',
  'placed_total',
  'cancelled_count',
  'cancelled_pieces',
  'cancelled_total',
] as const;
type Facts = { [Name in (typeof factNames)[number]]: bigint };
export const noFacts = (): Facts => ({
  placed_count: 0n,
  placed_pieces: 0n,
  placed_total: 0n,
  cancelled_count: 0n,
  cancelled_pieces: 0n,
  cancelled_total: 0n,
});

/** A time from its beginning until before its end, each a UTC date ('YYYY-MM-DD') or hour ('YYYY-MM-DD HH'). */
export interface Span {
  readonly from: string;
  readonly until: string;
}

/** the currency of the row that says that an hour is closed */
export const closedMark = '';

/** Of the days whose totals are kept; they have been closed one after the other. */
export async function lastClosedDay(sql: Sql): Promise<string | undefined> {
  const [last] = await sql.rows<{ day: string | null }>('SELECT MAX(day) AS day FROM orders_closed_days');
  return last?.day ?? undefined;
}

/** The totals that are kept of the days or hours in a span: a row for each of them and currency. */
export async function readKept(
  sql: Sql,
  unit: 'day' | 'hour',
  { from, until }: Span,
): Promise<readonly (Totals & { readonly period: string })[]> {
  const rows = await sql.rows<Record<string, string>>(
    `SELECT ${unit} AS period, currency, ${factNames.join(', ')} FROM orders_${unit}s WHERE ${unit} >= ? AND ${unit} < ?`,
    [from, until],
  );
  return rows.map(({ period = '', currency = '', ...facts }) => {
    const exact = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, BigInt(value)]));
    return { ...noFacts(), ...exact, currency, period };
  });
}

/** Keeps the totals of a day or an hour. */
export async function insertKept(
  sql: Sql,
  unit: 'day' | 'hour',
  { period, totals }: { period: string; totals: readonly Totals[] },
) {
  if (totals.length === 0) return;
  await sql.run(
    `INSERT INTO orders_${unit}s (${unit}, currency, ${factNames.join(', ')}) VALUES ${placeholders(totals.length, 2 + factNames.length)}`,
    totals.flatMap((facts) => [period, facts.currency, ...factNames.map((name) => String(facts[name]))]),
  );
}

/** Counts what happened in a span, one entry for each currency. */
export async function countOrders(sql: Sql, span: Span): Promise<readonly Totals[]> {
  // ids begin with the time of the order, so a time is a stretch of the table itself
  const placed = await countBy(sql, 'id', [firstIdAt(fromSql(startOf(span.from))), firstIdAt(fromSql(startOf(span.until)))]);
  const cancelled = await countBy(sql, 'cancelled_at', [startOf(span.from), startOf(span.until)]);
  return mergeByCurrency([
    ...placed.map(({ currency, count, pieces, total }) => ({
      ...noFacts(),
      ...{ currency, placed_count: count, placed_pieces: pieces, placed_total: total },
    })),
    ...cancelled.map(({ currency, count, pieces, total }) => ({
      ...noFacts(),
      ...{ currency, cancelled_count: count, cancelled_pieces: pieces, cancelled_total: total },
    })),
  ]);
}

/** Totals are added up in two halves: a sum of 64-bit numbers overflows, and then the embedded store refuses to answer. */
async function countBy(sql: Sql, column: 'id' | 'cancelled_at', between: readonly [from: string, until: string]) {
  const rows = await sql.rows<{ currency: string; count: number; pieces: string; high: string; low: string }>(
    `SELECT currency, COUNT(*) AS count, CAST(SUM(pieces) AS CHAR(40)) AS pieces,
       CAST(SUM(total >> 32) AS CHAR(40)) AS high, CAST(SUM(total & 4294967295) AS CHAR(40)) AS low
     FROM orders_orders WHERE ${column} >= ? AND ${column} < ? GROUP BY currency`,
    between,
  );
  return rows.map(({ currency, count, pieces, high, low }) => ({
    currency,
    count: BigInt(count),
    pieces: BigInt(pieces),
    total: (BigInt(high) << 32n) + BigInt(low),
  }));
}

/** One entry for each currency, in alphabetical order. */
export function mergeByCurrency(rows: readonly Totals[]): readonly Totals[] {
  const merged = new Map<string, Facts>();
  for (const row of rows) {
    const sums = merged.get(row.currency) ?? noFacts();
    for (const name of factNames) sums[name] += row[name];
    merged.set(row.currency, sums);
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, facts]) => ({ ...facts, currency }));
}

/** As the store writes times. */
function startOf(period: string): string {
  return `${period}${' 00:00:00.000'.slice(period.length - 'YYYY-MM-DD'.length)}`;
}

const hourMs = 3_600_000;

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

export function hourOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 'YYYY-MM-DD HH'.length).replace('T', ' ');
}

/** The hours of a UTC date. */
export function hoursOf(day: string): readonly string[] {
  return Array.from({ length: 24 }, (_, hour) => `${day} ${String(hour).padStart(2, '0')}`);
}

export function nextDay(day: string): string {
  return dateOf(Date.parse(`${day}T00:00:00Z`) + 24 * hourMs);
}

export function nextHour(hour: string): string {
  return hourOf(Date.parse(`${hour.replace(' ', 'T')}:00:00Z`) + hourMs);
}

import type { BackgroundTask } from '../../shared/background.ts';
import { type Database, isDuplicateKey, placeholders, type Sql } from '../../shared/database.ts';
import type { CurrencySummary, DayFacts } from './orders-api.ts';

/**
 * Facts of one currency, as counted from the orders or kept since their day was closed. A sum of totals may go beyond what a
 * number holds exactly; answers round then, what is kept does not.
 */
export interface DayTotals {
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

const dayMs = 86_400_000;
/** A day is closed when no transaction can still add to it: an order gets its time before it is committed. */
const closedAfterMs = 60 * 60_000;
const daysPerRun = 31;

/** Adds up the days from `from` to `to` (UTC dates, both included): closed days from their totals, the others from the orders. */
export async function summarize(db: Database, { from, to }: { from: string; to: string }): Promise<readonly CurrencySummary[]> {
  return db.transaction(
    async (tx) => {
      const kept = await keptTotals(tx, { from, to });
      const openFrom = await firstOpenDay(tx, from);
      const live = openFrom > to ? [] : await countOrders(tx, openFrom, nextDay(to));
      return addUp([...kept, ...live]);
    },
    { readOnly: true },
  );
}

/** What was kept of the closed days from `from` to `to`, both included: a row for each day and currency. */
export async function keptTotals(
  sql: Sql,
  { from, to }: { from: string; to: string },
): Promise<readonly (DayTotals & { readonly day: string })[]> {
  const rows = await sql.rows<Record<string, string>>(
    `SELECT day, currency, ${factNames.join(', ')} FROM orders_days WHERE day >= ? AND day <= ?`,
    [from, to],
  );
  return rows.map(({ day = '', ...totals }) => ({ ...toTotals(totals), day }));
}

/** Counts what happened from the start of day `from` until the start of day `until`, by currency. */
async function countOrders(sql: Sql, from: string, until: string): Promise<readonly DayTotals[]> {
  const placed = await countBy(sql, 'created_at', { from, until });
  const cancelled = await countBy(sql, 'cancelled_at', { from, until });
  return [
    ...placed.map(({ currency, count, pieces, total }) => ({
      ...noFacts(),
      ...{ currency, placed_count: count, placed_pieces: pieces, placed_total: total },
    })),
    ...cancelled.map(({ currency, count, pieces, total }) => ({
      ...noFacts(),
      ...{ currency, cancelled_count: count, cancelled_pieces: pieces, cancelled_total: total },
    })),
  ];
}

/** Totals are added up in two halves: a sum of 64-bit numbers overflows, and then the embedded store refuses to answer. */
async function countBy(sql: Sql, time: 'created_at' | 'cancelled_at', { from, until }: { from: string; until: string }) {
  const rows = await sql.rows<{ currency: string; count: number; pieces: string; high: string; low: string }>(
    `SELECT currency, COUNT(*) AS count, CAST(SUM(pieces) AS CHAR(40)) AS pieces,
       CAST(SUM(total >> 32) AS CHAR(40)) AS high, CAST(SUM(total & 4294967295) AS CHAR(40)) AS low
     FROM orders_orders WHERE ${time} >= ? AND ${time} < ? GROUP BY currency`,
    [`${from} 00:00:00.000`, `${until} 00:00:00.000`],
  );
  return rows.map(({ currency, count, pieces, high, low }) => ({
    currency,
    count: BigInt(count),
    pieces: BigInt(pieces),
    total: (BigInt(high) << 32n) + BigInt(low),
  }));
}

/** Keeps the totals of closed days, so that a summary of years reads one row per day and currency. */
export function rollupTask({ db, now, everyMs }: { db: Database; now: () => number; everyMs: number }): BackgroundTask {
  return {
    name: 'orders-rollup',
    everyMs,
    run: async () => {
      const closedUntil = dateOf(now() - closedAfterMs);
      for (let done = 0; done < daysPerRun; done++) {
        const day = await nextDayToClose(db);
        if (day === undefined || day >= closedUntil) return false;
        await closeDay(db, day).catch((error: unknown) => {
          if (!isDuplicateKey(error)) throw error;
        });
      }
      return true;
    },
  };
}

/**
 * In one transaction: the mark that the day is closed is its primary key, so two workers close it once.
 * @throws a duplicate key when another worker did
 */
async function closeDay(db: Database, day: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.run('INSERT INTO orders_closed_days (day) VALUES (?)', [day]);
    const totals = mergeByCurrency(await countOrders(tx, day, nextDay(day)));
    if (totals.length === 0) return;
    await tx.run(
      `INSERT INTO orders_days (day, currency, ${factNames.join(', ')}) VALUES ${placeholders(totals.length, 2 + factNames.length)}`,
      totals.flatMap((facts) => [day, facts.currency, ...factNames.map((name) => String(facts[name]))]),
    );
  });
}

async function nextDayToClose(sql: Sql): Promise<string | undefined> {
  const [last] = await sql.rows<{ day: string | null }>('SELECT MAX(day) AS day FROM orders_closed_days');
  if (last?.day) return nextDay(last.day);
  const [first] = await sql.rows<{ at: string | null }>('SELECT MIN(created_at) AS at FROM orders_orders');
  return first?.at?.slice(0, 10);
}

async function firstOpenDay(sql: Sql, from: string): Promise<string> {
  const [last] = await sql.rows<{ day: string | null }>('SELECT MAX(day) AS day FROM orders_closed_days');
  const open = last?.day ? nextDay(last.day) : from;
  return open > from ? open : from;
}

function addUp(rows: readonly DayTotals[]): readonly CurrencySummary[] {
  return mergeByCurrency(rows).map((facts) => {
    const of = (count: bigint, pieces: bigint, amount: bigint): DayFacts => ({
      count: Number(count),
      pieces: Number(pieces),
      total: { amount: Number(amount), currency: facts.currency },
    });
    return {
      currency: facts.currency,
      placed: of(facts.placed_count, facts.placed_pieces, facts.placed_total),
      cancelled: of(facts.cancelled_count, facts.cancelled_pieces, facts.cancelled_total),
    };
  });
}

/** One entry for each currency, in alphabetical order. */
function mergeByCurrency(rows: readonly DayTotals[]): readonly DayTotals[] {
  const merged = new Map<string, Facts>();
  for (const row of rows) {
    const sums = merged.get(row.currency) ?? noFacts();
    for (const name of factNames) sums[name] += row[name];
    merged.set(row.currency, sums);
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, facts]) => ({ ...facts, currency }));
}

/** What is kept is text. */
function toTotals({ currency = '', ...facts }: Readonly<Record<string, string>>): DayTotals {
  const exact = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, BigInt(value)]));
  return { ...noFacts(), ...exact, currency };
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

export function nextDay(day: string): string {
  return dateOf(Date.parse(`${day}T00:00:00Z`) + dayMs);
}

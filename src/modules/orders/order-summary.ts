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
const noFacts = (): Facts => ({
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

/** What was kept of the closed days from `from` to `to`, both included. */
export async function keptTotals(sql: Sql, { from, to }: { from: string; to: string }): Promise<readonly DayTotals[]> {
  const rows = await sql.rows<Record<string, string>>(
    `SELECT currency, ${factNames.map((name) => `CAST(SUM(${name}) AS CHAR(40)) AS ${name}`).join(', ')}
     FROM orders_days WHERE day >= ? AND day <= ? GROUP BY currency`,
    [from, to],
  );
  return rows.map(toTotals);
}

/** Counts what happened from the start of day `from` until the start of day `until`, by currency. */
export async function countOrders(sql: Sql, from: string, until: string): Promise<readonly DayTotals[]> {
  const count = (prefix: 'placed' | 'cancelled', time: 'created_at' | 'cancelled_at') =>
    sql.rows<Record<string, string | number>>(
      `SELECT currency, COUNT(*) AS ${prefix}_count, CAST(SUM(pieces) AS CHAR(40)) AS ${prefix}_pieces, CAST(SUM(total) AS CHAR(40)) AS ${prefix}_total
       FROM orders_orders WHERE ${time} >= ? AND ${time} < ? GROUP BY currency`,
      [`${from} 00:00:00.000`, `${until} 00:00:00.000`],
    );
  const found = [...(await count('placed', 'created_at')), ...(await count('cancelled', 'cancelled_at'))];
  return found.map(toTotals);
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
export function mergeByCurrency(rows: readonly DayTotals[]): readonly DayTotals[] {
  const merged = new Map<string, Facts>();
  for (const row of rows) {
    const sums = merged.get(row.currency) ?? noFacts();
    for (const name of factNames) sums[name] += row[name];
    merged.set(row.currency, sums);
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, facts]) => ({ ...facts, currency }));
}

/** Sums come as text, because the stores disagree about the type of a sum. */
function toTotals({ currency = '', ...facts }: Readonly<Record<string, string | number>>): DayTotals {
  const exact = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, BigInt(value)]));
  return { ...noFacts(), ...exact, currency: String(currency) };
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

export function nextDay(day: string): string {
  return dateOf(Date.parse(`${day}T00:00:00Z`) + dayMs);
}

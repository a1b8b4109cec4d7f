import type { BackgroundTask } from '../../shared/background.ts';
import { type Database, isDuplicateKey, type Sql } from '../../shared/database.ts';
import { timeOfId } from '../../shared/identifier.ts';
import { fromSql } from '../../shared/instant.ts';
import { databaseClock } from '../../shared/sql-clock.ts';
import {
  closedMark,
  countOrders,
  hourOf,
  hoursOf,
  insertKept,
  lastClosedDay,
  mergeByCurrency,
  nextDay,
  nextHour,
  noFacts,
  readKept,
} from './order-totals.ts';

/** A day or an hour is closed when no transaction can still add to it: an order gets its time before it is committed. */
const closedAfterMs = 60 * 60_000;
const mostPerRun = 31;

/**
 * Keeps the totals of closed days, so that a summary of years reads one row per day and currency, and those of closed hours of the
 * days that are still open, so that it counts the orders of the last two hours only.
 */
export function rollupTask({ db, now, everyMs }: { db: Database; now: () => number; everyMs: number }): BackgroundTask {
  return {
    name: 'orders-rollup',
    everyMs,
    run: async () => {
      for (let done = 0; done < mostPerRun; done++) {
        const close = await nextToClose(db, now());
        if (close === undefined) return false;
        await close().catch((error: unknown) => {
          if (!isDuplicateKey(error)) throw error;
        });
      }
      return true;
    },
  };
}

/** A day is closed by its hours, whose orders alone are counted: those of a whole day are too many for one statement. */
async function nextToClose(db: Database, now: number): Promise<(() => Promise<void>) | undefined> {
  const day = await firstOpenDay(db);
  if (day === undefined) return undefined;
  const closedAt = (await earlier(db, now)) - closedAfterMs;
  const kept = await readKept(db, 'hour', { from: day, until: nextDay(day) });
  const closed = new Set(kept.filter(({ currency }) => currency === closedMark).map(({ period }) => period));
  const hour = hoursOf(day).find((each) => !closed.has(each));
  if (hour === undefined) return () => closeDay(db, day);
  return hour < hourOf(closedAt) ? () => closeHour(db, hour) : undefined;
}

/** What is closed stays closed, so a process whose clock is ahead goes by that of the database. */
async function earlier(db: Database, now: number): Promise<number> {
  const [database] = await db.rows<{ now: string }>(`SELECT ${databaseClock(db)} AS now`);
  return Math.min(now, database === undefined ? now : Date.parse(fromSql(database.now)));
}

/**
 * In one transaction: the mark that the day is closed is its primary key, so two workers close it once.
 * @throws a duplicate key when another worker did
 */
async function closeDay(db: Database, day: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.run('INSERT INTO orders_closed_days (day) VALUES (?)', [day]);
    const hours = await readKept(tx, 'hour', { from: day, until: nextDay(day) });
    const totals = mergeByCurrency(hours.filter(({ currency }) => currency !== closedMark));
    await insertKept(tx, 'day', { period: day, totals });
    await tx.run('DELETE FROM orders_hours WHERE hour < ?', [nextDay(day)]);
  });
}

/** As `closeDay`. @throws a duplicate key when another worker did */
async function closeHour(db: Database, hour: string): Promise<void> {
  await db.transaction(async (tx) => {
    await insertKept(tx, 'hour', { period: hour, totals: [{ ...noFacts(), currency: closedMark }] });
    await insertKept(tx, 'hour', { period: hour, totals: await countOrders(tx, { from: hour, until: nextHour(hour) }) });
  });
}

/** The day after the last closed one, or that of the first order; undefined: there is neither. */
async function firstOpenDay(sql: Sql): Promise<string | undefined> {
  const last = await lastClosedDay(sql);
  if (last !== undefined) return nextDay(last);
  const [first] = await sql.rows<{ id: string | null }>('SELECT MIN(id) AS id FROM orders_orders');
  return first?.id ? timeOfId(first.id).slice(0, 'YYYY-MM-DD'.length) : undefined;
}

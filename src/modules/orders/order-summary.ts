import type { Database } from '../../shared/database.ts';
import {
  closedMark,
  countOrders,
  lastClosedDay,
  mergeByCurrency,
  nextDay,
  nextHour,
  readKept,
  type Totals,
} from './order-totals.ts';
import type { CurrencySummary, DayFacts } from './orders-api.ts';

/**
 * Adds up the days from `from` to `to` (UTC dates, both included): closed days and the closed hours of others from what was kept of
 * them, the rest from the orders.
 */
export async function summarize(db: Database, { from, to }: { from: string; to: string }): Promise<readonly CurrencySummary[]> {
  const until = nextDay(to);
  return db.transaction(
    async (tx) => {
      const days = await readKept(tx, 'day', { from, until });
      const lastClosed = await lastClosedDay(tx);
      const openFrom = lastClosed === undefined || lastClosed < from ? from : nextDay(lastClosed);
      if (openFrom > to) return addUp(days);
      // hours are closed one after the other, so what is behind the last one is open
      const hours = await readKept(tx, 'hour', { from: openFrom, until });
      const last = hours.reduce((latest, { period }) => (period > latest ? period : latest), '');
      const countedFrom = last === '' ? openFrom : nextHour(last);
      const counted = countedFrom < until ? await countOrders(tx, { from: countedFrom, until }) : [];
      return addUp([...days, ...hours.filter(({ currency }) => currency !== closedMark), ...counted]);
    },
    { readOnly: true },
  );
}

function addUp(rows: readonly Totals[]): readonly CurrencySummary[] {
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

import type { Database } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import type { AuditedOrder } from './order-pages.ts';
import { type DayTotals, keptTotals, nextDay, noFacts } from './order-summary.ts';

/** Kept totals by day. A day with no order has none. */
export type ClosedDays = ReadonlyMap<string, readonly DayTotals[]>;

/** Days that are closed by now: nothing is added to them any more. One row a day, so years of them fit in memory. */
export async function readClosedDays(db: Database): Promise<ClosedDays> {
  return db.transaction(
    async (tx) => {
      const days = await tx.rows<{ day: string }>('SELECT day FROM orders_closed_days ORDER BY day');
      const kept = await keptTotals(tx, { from: '', to: '~' });
      const byDay = Map.groupBy(kept, ({ day }) => day);
      return new Map([...days.map(({ day }) => [day, byDay.get(day) ?? []] as const), ...byDay]);
    },
    { readOnly: true },
  );
}

/** Counts orders by the days of their facts, then compares with what is kept of closed days (I-12). */
export function createDayCounts(closed: ClosedDays) {
  const lastClosed = [...closed.keys()].sort().at(-1) ?? '';
  const counted = new Map<string, Map<string, ReturnType<typeof noFacts>>>();
  const factsOf = (day: string, currency: string) => {
    const currencies = counted.get(day) ?? new Map<string, ReturnType<typeof noFacts>>();
    counted.set(day, currencies);
    const facts = currencies.get(currency) ?? noFacts();
    currencies.set(currency, facts);
    return facts;
  };
  return {
    count: ({ created_at, cancelled_at, currency, total, pieces }: AuditedOrder) => {
      for (const [fact, time] of [['placed', created_at] as const, ['cancelled', cancelled_at] as const]) {
        const day = time?.slice(0, 10) ?? '~';
        if (day > lastClosed) continue;
        const facts = factsOf(day, currency);
        facts[`${fact}_count`] += 1n;
        facts[`${fact}_pieces`] += BigInt(pieces);
        facts[`${fact}_total`] += BigInt(total);
      }
    },
    findings: function* (): Generator<Finding> {
      const broken = (day: string, detail: string): Finding => ({ invariant: 'I-12', subject: `day ${day}`, detail });
      for (const day of [...new Set([...closed.keys(), ...counted.keys()])].sort()) {
        const kept = closed.get(day);
        if (kept === undefined) yield broken(day, 'has orders and is not closed, although later days are');
        else if (inWords(kept) !== inWords(totalsOf(counted.get(day))))
          yield broken(day, 'its kept totals are not those of its orders');
        if (day < lastClosed && !closed.has(nextDay(day)) && !counted.has(nextDay(day)))
          yield broken(nextDay(day), 'is not closed, although later days are');
      }
    },
  };
}

function totalsOf(currencies: ReadonlyMap<string, ReturnType<typeof noFacts>> = new Map()): readonly DayTotals[] {
  return [...currencies].map(([currency, facts]) => ({ ...facts, currency }));
}

function inWords(totals: readonly DayTotals[]): string {
  return totals
    .map(({ currency, ...facts }) => {
      const { placed_count, placed_pieces, placed_total, cancelled_count, cancelled_pieces, cancelled_total } = facts;
      const numbers = [placed_count, placed_pieces, placed_total, cancelled_count, cancelled_pieces, cancelled_total];
      return `${currency} ${numbers.join(' ')}`;
    })
    .sort()
    .join(', ');
}

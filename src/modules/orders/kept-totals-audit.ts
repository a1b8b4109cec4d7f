import type { Database } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import type { AuditedOrder } from './order-pages.ts';
import { closedMark, nextDay, nextHour, noFacts, readKept, type Totals } from './order-totals.ts';

/** Kept totals by day or hour. One with no order has none. */
type Kept = ReadonlyMap<string, readonly Totals[]>;

export interface KeptTotals {
  readonly days: Kept;
  /** of the days that are still open */
  readonly hours: Kept;
}

const ever = { from: '', until: '~' };

/** Days and hours that are closed by now: nothing is added to them any more. One row a day, so years of them fit in memory. */
export async function readKeptTotals(db: Database): Promise<KeptTotals> {
  return db.transaction(
    async (tx) => {
      const closed = await tx.rows<{ day: string }>('SELECT day FROM orders_closed_days ORDER BY day');
      const byDay = Map.groupBy(await readKept(tx, 'day', ever), ({ period }) => period);
      const hours = await readKept(tx, 'hour', { ...ever, from: after(closed.at(-1)?.day) });
      const byHour = Map.groupBy(hours, ({ period }) => period);
      const unmarked = (rows: readonly Totals[]) => rows.filter(({ currency }) => currency !== closedMark);
      return {
        days: new Map([...closed.map(({ day }) => [day, byDay.get(day) ?? []] as const), ...byDay]),
        hours: new Map([...byHour].map(([hour, rows]) => [hour, unmarked(rows)])),
      };
    },
    { readOnly: true },
  );
}

/** Counts orders by the days and hours of their facts, then compares with what is kept of closed ones (I-12). */
export function createTotalsCount({ days, hours }: KeptTotals) {
  const parts = [
    createPeriods({ unit: 'day', kept: days, next: nextDay }),
    createPeriods({ unit: 'hour', kept: hours, next: nextHour, from: after(lastOf(days)) }),
  ];
  return {
    count: (order: AuditedOrder) => {
      for (const part of parts) part.count(order);
    },
    findings: function* (): Generator<Finding> {
      for (const part of parts) yield* part.findings();
    },
  };
}

interface Periods {
  readonly unit: 'day' | 'hour';
  readonly kept: Kept;
  readonly next: (period: string) => string;
  /** what is before it is not looked at */
  readonly from?: string;
}

function createPeriods({ unit, kept, next, from = '' }: Periods) {
  const lastKept = lastOf(kept) ?? '';
  const { length } = unit === 'day' ? 'YYYY-MM-DD' : 'YYYY-MM-DD HH';
  const counted = new Map<string, Map<string, ReturnType<typeof noFacts>>>();
  const factsOf = (period: string, currency: string) => {
    const currencies = counted.get(period) ?? new Map<string, ReturnType<typeof noFacts>>();
    counted.set(period, currencies);
    const facts = currencies.get(currency) ?? noFacts();
    currencies.set(currency, facts);
    return facts;
  };
  return {
    count: ({ created_at, cancelled_at, currency, total, pieces }: AuditedOrder) => {
      for (const [fact, time] of [['placed', created_at] as const, ['cancelled', cancelled_at] as const]) {
        const period = time?.slice(0, length) ?? '~';
        if (period > lastKept || period < from) continue;
        const facts = factsOf(period, currency);
        facts[`${fact}_count`] += 1n;
        facts[`${fact}_pieces`] += BigInt(pieces);
        facts[`${fact}_total`] += BigInt(total);
      }
    },
    findings: function* (): Generator<Finding> {
      const broken = (period: string, detail: string): Finding => ({ invariant: 'I-12', subject: `${unit} ${period}`, detail });
      for (const period of [...new Set([...kept.keys(), ...counted.keys()])].sort()) {
        const totals = kept.get(period);
        if (totals === undefined) yield broken(period, `has orders and is not closed, although later ${unit}s are`);
        else if (inWords(totals) !== inWords(totalsOf(counted.get(period))))
          yield broken(period, 'its kept totals are not those of its orders');
        const following = next(period);
        if (period < lastKept && !kept.has(following) && !counted.has(following))
          yield broken(following, `is not closed, although later ${unit}s are`);
      }
    },
  };
}

function lastOf(kept: Kept): string | undefined {
  return [...kept.keys()].sort().at(-1);
}

/** where what is open begins */
function after(closedDay: string | undefined): string {
  return closedDay === undefined ? '' : nextDay(closedDay);
}

function totalsOf(currencies: ReadonlyMap<string, ReturnType<typeof noFacts>> = new Map()): readonly Totals[] {
  return [...currencies].map(([currency, facts]) => ({ ...facts, currency }));
}

function inWords(totals: readonly Totals[]): string {
  return totals
    .map(({ currency, ...facts }) => {
      const { placed_count, placed_pieces, placed_total, cancelled_count, cancelled_pieces, cancelled_total } = facts;
      const numbers = [placed_count, placed_pieces, placed_total, cancelled_count, cancelled_pieces, cancelled_total];
      return `${currency} ${numbers.join(' ')}`;
    })
    .sort()
    .join(', ');
}

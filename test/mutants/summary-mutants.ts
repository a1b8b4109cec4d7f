import { embedded, type Mutant } from './mutant.ts';

const closedHour = embedded('order-summary', 'the summary reads no order of a closed hour, and the audit counts them again');

/** A fact is counted once, however its day is kept. */
export const summaryMutants: readonly Mutant[] = [
  {
    guard: 'what is kept of closed hours is not counted again',
    file: 'src/modules/orders/order-summary.ts',
    text: "last === '' ? openFrom : nextHour(last)",
    mutation: 'openFrom',
    noticedBy: [closedHour],
  },
  {
    guard: 'hours of closed days are not added to them',
    file: 'src/modules/orders/order-summary.ts',
    text: "readKept(tx, 'hour', { from: openFrom, until })",
    mutation: "readKept(tx, 'hour', { from, until })",
    noticedBy: [closedHour],
  },
  {
    guard: 'an hour is closed an hour after its end',
    file: 'src/modules/orders/order-rollup.ts',
    text: 'hour < hourOf(closedAt)',
    mutation: 'hour < hourOf(closedAt + closedAfterMs)',
    noticedBy: [closedHour],
  },
  {
    guard: 'a day that is closed takes its hours with it',
    file: 'src/modules/orders/order-rollup.ts',
    text: "await tx.run('DELETE FROM orders_hours WHERE hour < ?', [nextDay(day)]);",
    mutation: '',
    noticedBy: [closedHour],
  },
  {
    guard: 'the audit compares what is kept with the orders',
    file: 'src/modules/orders/kept-totals-audit.ts',
    text: 'inWords(totals) !== inWords(totalsOf(counted.get(period)))',
    mutation: 'false',
    noticedBy: [closedHour],
  },
];

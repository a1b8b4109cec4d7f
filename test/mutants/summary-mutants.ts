import { embedded, type Mutant } from './mutant.ts';

const closedHour = embedded('order-summary', 'the summary reads no order of a closed hour, and the audit counts them again');

/** A fact is counted once, however its day is kept. */
export const summaryMutants: readonly Mutant[] = [
  {
    guard: 'a day is added up from its hours, however many orders it has',
    file: 'src/modules/orders/order-rollup.ts',
    text: "const hours = await readKept(tx, 'hour', { from: day, until: nextDay(day) });",
    mutation: 'const hours = await countOrders(tx, { from: day, until: nextDay(day) });',
    noticedBy: [
      embedded('order-summary', 'the summary counts the orders of an hour at most at a time, however many have come in a day'),
    ],
  },
  {
    guard: 'what is over is decided by the clock of the database',
    file: 'src/modules/orders/order-rollup.ts',
    text: 'Math.min(now, database === undefined ? now : Date.parse(fromSql(database.now)))',
    mutation: 'database === undefined ? now : now',
    noticedBy: [
      embedded(
        'order-summary',
        'the summary closes nothing that is not over by the clock of the database, however far ahead that of the process is',
      ),
    ],
  },
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

import type { AuditRun } from '../../shared/audit-run.ts';
import type { Database } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import { auditClaims } from './claims-audit.ts';
import { auditInbox } from './inbox-audit.ts';
import { createTotalsCount, readKeptTotals } from './kept-totals-audit.ts';
import { checkOrder } from './order-check.ts';
import { orderPages } from './order-pages.ts';
import { comparePrices, type ReservationReader } from './reserved-lines-audit.ts';

/**
 * Read-only checks over everything that the module keeps (docs/operating.md lists the invariants by number), and over the lines
 * of the reservations that the orders were made of (I-17). Reads in pages, each in one snapshot.
 */
export async function* auditOrders(db: Database, catalog: ReservationReader, run: AuditRun): AsyncGenerator<Finding> {
  for (const things of ['orders', 'orderLines', 'transitions', 'events']) run.count(things);
  const kept = await readKeptTotals(db);
  const totals = createTotalsCount(kept);
  for await (const { orders, orphans } of orderPages(db, run.breathe)) {
    for (const { invariant, orderId, what } of orphans)
      yield { invariant, subject: `order ${orderId}`, detail: `does not exist, but ${what} of it do` };
    for (const order of orders) {
      yield* checkOrder(order, run);
      totals.count(order);
      run.count('orderLines', order.lines.length);
      run.count('transitions', order.history.length);
      run.count('events', order.events.length);
    }
    yield* await comparePrices(orders, catalog, run);
    run.count('orders', orders.length);
  }
  run.count('closedDays', kept.days.size);
  yield* totals.findings();
  yield* auditClaims(db, run);
  yield* auditInbox(db, run);
}

import { type AuditRun, isSettled } from '../../shared/audit-run.ts';
import type { Database } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import type { OrderStatus } from './orders-api.ts';

const pageSize = 1000;

interface ReceiptRow {
  readonly event_id: string;
  readonly received_at: string;
  readonly type: string | null;
  readonly order_id: string | null;
  readonly status: OrderStatus | null;
}

/** I-11: an event that the inbox calls handled is of a kind that is handled, and its effect is there; purged events prove nothing. */
export async function* auditInbox(db: Database, run: AuditRun): AsyncGenerator<Finding> {
  run.count('handledEvents');
  for (let consumer = await nextConsumer(db, ''); consumer !== undefined; consumer = await nextConsumer(db, consumer)) {
    for (let after = ''; ; ) {
      const rows = await readReceipts(db, { consumer, after });
      for (const row of rows) {
        const fault = faultOf(row, run);
        if (fault !== undefined) yield { invariant: 'I-11', subject: `event ${row.event_id}`, detail: fault };
      }
      run.count('handledEvents', rows.length);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.event_id;
      await run.breathe();
    }
  }
}

async function nextConsumer(db: Database, before: string): Promise<string | undefined> {
  const [row] = await db.rows<{ consumer: string | null }>(
    'SELECT MIN(consumer) AS consumer FROM orders_inbox WHERE consumer > ?',
    [before],
  );
  return row?.consumer ?? undefined;
}

/** One consumer at a time: over both columns of the key no planner would begin at the page. */
function readReceipts(db: Database, { consumer, after }: { readonly consumer: string; readonly after: string }) {
  return db.rows<ReceiptRow>(
    `SELECT i.event_id, i.received_at, e.type, e.order_id, o.status
     FROM (SELECT event_id, received_at FROM orders_inbox
       WHERE consumer = ? AND event_id > ? ORDER BY event_id LIMIT ${pageSize}) i
     LEFT JOIN orders_outbox e ON e.id = i.event_id
     LEFT JOIN orders_orders o ON o.id = e.order_id ORDER BY i.event_id`,
    [consumer, after],
  );
}

function faultOf({ type, received_at, order_id, status }: ReceiptRow, run: AuditRun): string | undefined {
  if (type === null || !isSettled(run, received_at)) return undefined;
  if (type !== 'order.placed' && type !== 'order.cancelled') return `was handled, although nobody handles ${type}`;
  if (type === 'order.placed' && status === 'placed') return `was handled, and order ${order_id} is still placed`;
  return undefined;
}

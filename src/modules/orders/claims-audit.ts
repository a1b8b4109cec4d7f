import type { AuditRun } from '../../shared/audit-run.ts';
import type { Database } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';

const pageSize = 1000;

interface ClaimRow {
  readonly reservation_id: string;
  readonly kind: string;
  readonly order_id: string | null;
  readonly found: string | null;
  readonly made_of: string | null;
}

/** I-04 from the side of the claims: each names an order that exists and is made of the claimed reservation, or is void. */
export async function* auditClaims(db: Database, run: AuditRun): AsyncGenerator<Finding> {
  run.count('claims');
  for (let after = ''; ; ) {
    const rows = await db.rows<ClaimRow>(
      `SELECT c.reservation_id, c.kind, c.order_id, o.id AS found, o.reservation_id AS made_of
       FROM (SELECT reservation_id, kind, order_id FROM orders_claims WHERE reservation_id > ? ORDER BY reservation_id LIMIT ${pageSize}) c
       LEFT JOIN orders_orders o ON o.id = c.order_id ORDER BY c.reservation_id`,
      [after],
    );
    for (const row of rows) {
      const subject = `claim ${row.reservation_id}`;
      if (row.kind !== 'order') continue;
      if (row.found === null) yield { invariant: 'I-12', subject, detail: `names order ${row.order_id}, which does not exist` };
      else if (row.made_of !== row.reservation_id)
        yield { invariant: 'I-04', subject, detail: `names order ${row.order_id}, which is made of reservation ${row.made_of}` };
    }
    run.count('claims', rows.length);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.reservation_id;
    await run.breathe();
  }
}

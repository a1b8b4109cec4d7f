import type { AuditRun } from '../../shared/audit-run.ts';
import { type Database, placeholders } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';

/** I-31: no order names a user who is gone. `goneUsers` are pages of at most 1,000 ids. */
export async function* auditErasures(
  db: Database,
  goneUsers: AsyncIterable<readonly string[]>,
  run: AuditRun,
): AsyncGenerator<Finding> {
  run.count('erasedUsers');
  for await (const ids of goneUsers) {
    if (ids.length === 0) continue;
    run.count('erasedUsers', ids.length);
    for (const { user_id, id } of await ordersOf(db, ids))
      yield { invariant: 'I-31', subject: `order ${id}`, detail: `names user ${user_id}, who was erased` };
    await run.breathe();
  }
}

/** One order of each of these users who has any: a seek into the index for each. */
function ordersOf(db: Database, userIds: readonly string[]) {
  return db.rows<{ user_id: string; id: string }>(
    `SELECT user_id, MIN(id) AS id FROM orders_orders WHERE user_id IN ${placeholders(1, userIds.length)} GROUP BY user_id`,
    userIds,
  );
}

import { type Database, idsParam, placeholders, rowsOfIds, type Sql } from '../../shared/database.ts';
import { databaseClock } from '../../shared/sql-clock.ts';

/** Which events each consumer of the queue has handled. */

const consumer = 'settlement';

/** Which of these events were handled before. */
export async function receivedAmong(db: Sql, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.rows<{ event_id: string }>(
    `SELECT event_id FROM ${rowsOfIds(db, 'orders_inbox', 'event_id')} AND consumer = ?`,
    [idsParam(eventIds), consumer],
  );
  return new Set(rows.map((row) => row.event_id));
}

/** Belongs into the transaction of what the events caused. @throws the duplicate-key error of an event that was handled before */
export async function recordReceived(sql: Sql, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await sql.run(
    `INSERT INTO orders_inbox (consumer, event_id, received_at) VALUES ${eventIds.map(() => `(?, ?, ${databaseClock(sql)})`).join(', ')}`,
    eventIds.flatMap((id) => [consumer, id]),
  );
}

/** Removes up to `limit` entries that are older than any message can be. Answers how many it was. */
export async function purgeInbox(db: Database, { keptMs, limit }: { keptMs: number; limit: number }): Promise<number> {
  const old = await db.rows<{ event_id: string }>(
    `SELECT event_id FROM orders_inbox WHERE received_at < ${databaseClock(db, -keptMs)} ORDER BY received_at LIMIT ${limit}`,
  );
  if (old.length > 0)
    await db.run(`DELETE FROM orders_inbox WHERE consumer = ? AND event_id IN ${placeholders(1, old.length)}`, [
      consumer,
      ...old.map((row) => row.event_id),
    ]);
  return old.length;
}

import type { BackgroundTask } from '../../shared/background.ts';
import { type Database, placeholders } from '../../shared/database.ts';
import { databaseClock } from '../../shared/sql-clock.ts';
import type { Catalog } from '../catalog/index.ts';
import { purgeInbox } from './inbox-store.ts';

const dayMs = 86_400_000;
const publishedEventsKeptMs = 7 * dayMs;
/** longer than SQS keeps a message, which is 14 days at most */
const inboxKeptMs = 15 * dayMs;
const voidClaimsKeptMs = 30 * dayMs;
const batchSize = 500;

/**
 * Removes what nobody needs any more, in small batches: published events, what the inbox remembers, and the void claims and released reservations of
 * attempts without an idempotency key. Those of keyed attempts stay like the claims of orders, because the key may come back.
 */
export function purgeTask({ db, catalog, everyMs }: { db: Database; catalog: Catalog; everyMs: number }): BackgroundTask {
  return {
    name: 'orders-purge',
    everyMs,
    run: async () => {
      const events = await purgePublishedEvents(db);
      const received = await purgeInbox(db, { keptMs: inboxKeptMs, limit: batchSize });
      const claims = await purgeVoidClaims(db, catalog);
      return [events, received, claims].includes(batchSize);
    },
  };
}

async function purgePublishedEvents(db: Database): Promise<number> {
  const old = await db.rows<{ id: string }>(
    `SELECT id FROM orders_outbox WHERE published_at < ${databaseClock(db, -publishedEventsKeptMs)} ORDER BY published_at LIMIT ${batchSize}`,
  );
  if (old.length > 0)
    await db.run(
      `DELETE FROM orders_outbox WHERE id IN ${placeholders(1, old.length)}`,
      old.map(({ id }) => id),
    );
  return old.length;
}

/** The id tells whether an attempt had a key: ids derived from a key are UUIDs of version 8. The reservation goes first. */
async function purgeVoidClaims(db: Database, catalog: Catalog): Promise<number> {
  const old = await db.rows<{ reservation_id: string }>(
    `SELECT reservation_id FROM orders_claims
     WHERE kind = 'void' AND created_at < ${databaseClock(db, -voidClaimsKeptMs)} AND SUBSTR(reservation_id, 15, 1) = '7'
     ORDER BY created_at LIMIT ${batchSize}`,
  );
  if (old.length === 0) return 0;
  const ids = old.map(({ reservation_id }) => reservation_id);
  await catalog.forget(ids);
  await db.run(`DELETE FROM orders_claims WHERE +kind = 'void' AND reservation_id IN ${placeholders(1, ids.length)}`, ids);
  return old.length;
}

import { type Database, idsParam, placeholders, rowsOfIds, type Sql, type SqlTransaction } from '../../shared/database.ts';
import { newId, timeOfId } from '../../shared/identifier.ts';
import { fromSql, toSql } from '../../shared/instant.ts';
import { databaseClock } from '../../shared/sql-clock.ts';
import type { OrderEvent } from './orders-api.ts';

/** An event on its way out: it only says which order to look at, and its place in that order's life. */
export interface OutgoingEvent {
  readonly id: string;
  readonly orderId: string;
  readonly type: OrderEvent['type'];
  readonly sequence: number;
  /** RFC 3339 UTC */
  readonly at: string;
  /** how often sending it failed so far */
  readonly attempts: number;
}

/** Before every clock, as a new event is: whether it is due never depends on the clock of the process that wrote it. */
const dueAtOnce = '1970-01-01 00:00:00.000';
const nobody = '';

/** Appends events in the transaction that makes them true. They are due at once. */
export async function appendEvents(
  tx: SqlTransaction,
  events: readonly Pick<OutgoingEvent, 'orderId' | 'type' | 'sequence' | 'at'>[],
): Promise<void> {
  await tx.run(
    `INSERT INTO orders_outbox (id, order_id, type, sequence, created_at) VALUES ${placeholders(events.length, 5)}`,
    events.flatMap(({ orderId, type, sequence, at }) => [newId(), orderId, type, sequence, toSql(new Date(at))]),
  );
}

interface OutboxRow {
  readonly id: string;
  readonly order_id: string;
  readonly type: OrderEvent['type'];
  readonly sequence: number;
  readonly created_at: string;
  readonly attempts: number;
}

const eventColumns = 'id, order_id, type, sequence, created_at, attempts';
const due = (db: Database) =>
  `published_at IS NULL AND dead_at IS NULL AND due_at <= ${databaseClock(db)} AND leased_until <= ${databaseClock(db)}`;
/** The same for rows that are named by their ids: the `+` keeps SQLite from reading the whole backlog by the other index. */
const stillDue = (db: Database) => `+published_at IS NULL AND +dead_at IS NULL AND +leased_until <= ${databaseClock(db)}`;

/**
 * Takes up to `limit` unpublished events for `leaseMs`, on the database's clock. Rows are found by being unpublished, never
 * by a cursor: ids that commit late would be passed over.
 */
export async function leaseEvents(
  db: Database,
  { lease, limit, leaseMs }: { lease: string; limit: number; leaseMs: number },
): Promise<readonly OutgoingEvent[]> {
  const candidates = await db.rows<OutboxRow>(
    `SELECT ${eventColumns} FROM orders_outbox WHERE ${due(db)} ORDER BY due_at, id LIMIT ${limit}`,
  );
  if (candidates.length === 0) return [];
  const ids = candidates.map(({ id }) => id);
  const taken = await db.run(
    `UPDATE orders_outbox SET leased_by = ?, leased_until = ${databaseClock(db, leaseMs)} WHERE id IN ${placeholders(1, ids.length)} AND ${stillDue(db)}`,
    [lease, ...ids],
  );
  return (taken === ids.length ? candidates : await readLeased(db, lease, ids)).map(toEvent);
}

/** Another relay was faster with some of them. */
function readLeased(db: Database, lease: string, ids: readonly string[]): Promise<readonly OutboxRow[]> {
  return db.rows<OutboxRow>(`SELECT ${eventColumns} FROM ${rowsOfIds(db, 'orders_outbox', 'id')} WHERE leased_by = ?`, [
    idsParam(ids),
    lease,
  ]);
}

function toEvent({ id, order_id, type, sequence, created_at, attempts }: OutboxRow): OutgoingEvent {
  return { id, orderId: order_id, type, sequence, at: fromSql(created_at), attempts };
}

/** Marks those whose lease is still held; the others belong to another relay by now. */
export async function markPublished(db: Database, lease: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.run(
    `UPDATE orders_outbox SET published_at = ${databaseClock(db)} WHERE id IN ${placeholders(1, ids.length)} AND leased_by = ?`,
    [...ids, lease],
  );
}

/** Gives events back that could not be sent, without counting it as their failure. */
export async function returnEvents(
  db: Database,
  { lease, ids, delayMs, error }: { lease: string; ids: readonly string[]; delayMs: number; error: string },
): Promise<void> {
  await db.run(
    `UPDATE orders_outbox SET ${pausedFor(db, delayMs)}, last_error = ? WHERE id IN ${placeholders(1, ids.length)} AND leased_by = ?`,
    [error.slice(0, 500), ...ids, lease],
  );
}

/** Gives a failed event back, to be sent again after `delayMs`, or puts it aside as a dead letter. */
export async function markFailed(
  db: Database,
  { lease, id, delayMs, dead, error }: { lease: string; id: string; delayMs: number; dead: boolean; error: string },
): Promise<void> {
  await db.run(
    `UPDATE orders_outbox SET attempts = attempts + 1, ${pausedFor(db, delayMs)}, dead_at = ${dead ? databaseClock(db) : 'NULL'}, last_error = ?
     WHERE id = ? AND leased_by = ?`,
    [error.slice(0, 500), id, lease],
  );
}

const pausedFor = (db: Database, delayMs: number) =>
  `due_at = ${databaseClock(db, delayMs)}, leased_by = '${nobody}', leased_until = ${databaseClock(db, delayMs)}`;

/** What waits in the outbox, and what was put aside. */
export interface OutboxBacklog {
  /** RFC 3339 UTC; absent: nothing waits */
  readonly oldestAt?: string;
  readonly dead: number;
}

/** Reads nothing but the index: ids begin with their time, and of dead events at most 1,000 are counted. */
export async function readBacklog(db: Sql): Promise<OutboxBacklog> {
  const [oldest] = await db.rows<{ id: string | null }>(
    'SELECT MIN(id) AS id FROM orders_outbox WHERE published_at IS NULL AND dead_at IS NULL',
  );
  const [count] = await db.rows<{ dead: number }>(
    'SELECT COUNT(*) AS dead FROM (SELECT id FROM orders_outbox WHERE published_at IS NULL AND dead_at IS NOT NULL LIMIT 1000) d',
  );
  return { ...(oldest?.id && { oldestAt: timeOfId(oldest.id) }), dead: count?.dead ?? 0 };
}

export interface DeadEvent {
  readonly id: string;
  readonly orderId: string;
  readonly type: OrderEvent['type'];
  readonly attempts: number;
  /** RFC 3339 UTC */
  readonly deadAt: string;
  readonly error: string;
}

/** Events that were put aside after too many failures, oldest first. */
export async function listDeadEvents(db: Sql, limit: number): Promise<readonly DeadEvent[]> {
  const rows = await db.rows<OutboxRow & { dead_at: string; last_error: string | null }>(
    `SELECT ${eventColumns}, dead_at, last_error FROM orders_outbox
     WHERE published_at IS NULL AND dead_at IS NOT NULL ORDER BY dead_at, due_at, id LIMIT ${limit}`,
  );
  return rows.map((row) => ({
    id: row.id,
    orderId: row.order_id,
    type: row.type,
    attempts: row.attempts,
    deadAt: fromSql(row.dead_at),
    error: row.last_error ?? '',
  }));
}

/**
 * Has dead events delivered again as if they were new. One statement, so it may run beside the server. Ids that name no dead
 * event are passed over. Answers how many it was.
 */
export function redriveDeadEvents(db: Sql, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return Promise.resolve(0);
  return db.run(
    `UPDATE orders_outbox SET dead_at = NULL, attempts = 0, due_at = ?, leased_by = '${nobody}', leased_until = ?
     WHERE id IN ${placeholders(1, ids.length)} AND published_at IS NULL AND dead_at IS NOT NULL`,
    [dueAtOnce, dueAtOnce, ...ids],
  );
}

import { createBatcher, type Outcome } from '../../shared/batcher.ts';
import { type Database, isCheckViolation, isDuplicateKey, placeholders, type SqlTransaction } from '../../shared/database.ts';
import { Failure } from '../../shared/failure.ts';
import { toSql } from '../../shared/instant.ts';
import { recordReceived } from './inbox-store.ts';
import { allowedFrom, decideTransition } from './order.ts';
import { noSuchOrder, readOrderRows } from './order-store.ts';
import type { OrderStatus, TransitionRequest } from './orders-api.ts';
import { appendEvents } from './outbox-store.ts';

/** Moves one order to another state. @throws not-found, illegal-transition */
export type Transition = (request: CausedTransition) => Promise<void>;

interface CausedTransition extends TransitionRequest {
  /** the event whose handling this is; it goes into the inbox in the same transaction */
  readonly cause?: string;
}

interface Change {
  readonly request: CausedTransition;
  readonly from: OrderStatus;
  readonly version: number;
}

const limits = { maxItems: 64, maxWeight: 64 };

/** Every transition: one guarded UPDATE, one history entry, one outbox row, in one transaction; concurrent ones share a commit. */
export function createTransition({
  db,
  now,
  onAppended,
}: {
  db: Database;
  now: () => number;
  onAppended: () => void;
}): Transition {
  return createBatcher<CausedTransition, undefined>({
    limits,
    weigh: () => 1,
    mayRunAlone: (error) => isDuplicateKey(error) || isCheckViolation(error),
    run: async (requests) => {
      const { outcomes, changed } = await db.transaction(async (tx) => {
        const decided = await decideAll(tx, requests);
        await writeAll(tx, decided.changes, new Date(now()));
        return { outcomes: decided.outcomes, changed: decided.changes.length > 0 };
      });
      if (changed) onAppended();
      return outcomes;
    },
  });
}

/** Decides each request against the state that its order will have by then: two requests of a batch may name the same order. */
async function decideAll(tx: SqlTransaction, requests: readonly CausedTransition[]) {
  const ids = [...new Set(requests.map((request) => request.orderId))].sort();
  const rows = await readOrderRows(tx, ids, { lock: true });
  const current = new Map(rows.map((row) => [row.id, { userId: row.user_id, status: row.status, version: row.version }]));
  const changes: Change[] = [];
  const outcomes = requests.map((request): Outcome<undefined> => {
    const order = current.get(request.orderId);
    if (order === undefined || (request.userId !== undefined && order.userId !== request.userId)) return { error: noSuchOrder() };
    const decision = decideTransition(order.status, request.to);
    if (decision === 'illegal') return { error: illegalTransition(order.status, request.to) };
    if (decision === 'go') {
      changes.push({ request, from: order.status, version: order.version });
      current.set(request.orderId, { ...order, status: request.to, version: order.version + 1 });
    }
    return { value: undefined };
  });
  return { outcomes, changes };
}

async function writeAll(tx: SqlTransaction, changes: readonly Change[], at: Date): Promise<void> {
  if (changes.length === 0) return;
  const alike = Map.groupBy(changes, ({ request, from, version }) => `${from} ${version} ${request.to}`);
  // an order that moves twice has its versions one after the other
  const groups = [...alike.values()].sort(([one], [other]) => (one?.version ?? 0) - (other?.version ?? 0));
  for (const group of groups) await updateGuarded(tx, group, at);
  await tx.run(
    `INSERT INTO orders_history (order_id, sequence, status, actor, carrier, tracking_number, created_at) VALUES ${placeholders(changes.length, 7)}`,
    changes.flatMap(({ request, version }) => [
      request.orderId,
      version + 1,
      request.to,
      request.by,
      request.carrier ?? null,
      request.trackingNumber ?? null,
      toSql(at),
    ]),
  );
  await recordReceived(
    tx,
    changes.map(({ request }) => request.cause).filter((cause) => cause !== undefined),
  );
  await appendEvents(
    tx,
    changes.map(({ request, version }) => ({
      orderId: request.orderId,
      type: `order.${request.to}` as const,
      sequence: version + 1,
      at: at.toISOString(),
    })),
  );
}

/** The guard stands in the WHERE although the rows are locked: what is written never rests on what was read (I-03). */
async function updateGuarded(tx: SqlTransaction, group: readonly Change[], at: Date): Promise<void> {
  const [first] = group;
  if (first === undefined) return;
  const cancelledAt = first.request.to === 'cancelled' ? toSql(at) : null;
  const affected = await tx.run(
    `UPDATE orders_orders SET status = ?, version = version + 1, updated_at = ?, cancelled_at = ?
     WHERE id IN ${placeholders(1, group.length)} AND version = ? AND status = ?`,
    [first.request.to, toSql(at), cancelledAt, ...group.map(({ request }) => request.orderId), first.version, first.from],
  );
  if (affected !== group.length) throw new Error('An order changed although it was locked.');
}

function illegalTransition(from: OrderStatus, to: OrderStatus): Failure {
  return new Failure('illegal-transition', {
    detail: `The order is ${from} and can not become ${to}.`,
    members: { from, to, allowed: allowedFrom(from) },
  });
}

import { type AuditRun, isSettled } from '../../shared/audit-run.ts';
import { type Database, placeholders } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import type { AuditedReservation } from '../catalog/index.ts';
import type { OrderStatus } from './orders-api.ts';
import type { ReservationReader } from './reserved-lines-audit.ts';

interface Owner {
  readonly reservation_id: string;
  readonly kind: 'order' | 'void';
  readonly claimed_at: string;
  readonly status: OrderStatus | null;
  readonly updated_at: string | null;
}

/**
 * I-02: what the catalog holds, sold or gave back agrees with the claim and the order that it is for. The modules are read in
 * snapshots of their own, so only rows older than a minute count, and only if they still disagree on a second look.
 */
export async function* auditReservations(db: Database, catalog: ReservationReader, run: AuditRun): AsyncGenerator<Finding> {
  for await (const { reservations } of catalog.pages()) {
    const suspects = await disagreeing(db, reservations, run);
    if (suspects.length === 0) continue;
    await run.beforeSecondLook();
    const second = await catalog.read(suspects.map(({ reservationId }) => reservationId));
    for (const { finding } of await disagreeing(db, second, run)) yield finding;
  }
}

async function disagreeing(db: Database, reservations: readonly AuditedReservation[], run: AuditRun) {
  const owners = await readOwners(
    db,
    reservations.map(({ reservationId }) => reservationId),
  );
  return reservations.flatMap(({ reservationId, state, createdAt, settledAt }) => {
    const owner = owners.get(reservationId);
    if (agree(state, owner) || !isSettled(run, settledAt ?? createdAt, owner?.claimed_at, owner?.updated_at)) return [];
    const detail = `is ${state} and belongs to ${describe(owner)}`;
    return [{ reservationId, finding: { invariant: 'I-02', subject: `reservation ${reservationId}`, detail } }];
  });
}

async function readOwners(db: Database, reservationIds: readonly string[]): Promise<ReadonlyMap<string, Owner>> {
  if (reservationIds.length === 0) return new Map();
  const rows = await db.rows<Owner>(
    `SELECT c.reservation_id, c.kind, c.created_at AS claimed_at, o.status, o.updated_at
     FROM orders_claims c LEFT JOIN orders_orders o ON o.id = c.order_id
     WHERE c.reservation_id IN ${placeholders(1, reservationIds.length)}`,
    reservationIds,
  );
  return new Map(rows.map((row) => [row.reservation_id, row]));
}

function agree(state: AuditedReservation['state'], owner: Owner | undefined): boolean {
  if (state === 'held') return owner === undefined || owner.status === 'placed';
  if (state === 'committed') return owner?.kind === 'order' && owner.status !== null && owner.status !== 'cancelled';
  return owner?.kind === 'void' || owner?.status === 'cancelled';
}

function describe(owner: Owner | undefined): string {
  if (owner === undefined) return 'nobody';
  return owner.kind === 'void' ? 'a void claim' : `a ${owner.status ?? 'missing'} order`;
}

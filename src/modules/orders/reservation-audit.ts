import { type Database, placeholders } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import type { AuditedReservation } from '../catalog/index.ts';

import type { OrderStatus } from './orders-api.ts';

/** What the auditor reads of the catalog, each call in a snapshot of its own. */
export interface ReservationReader {
  pages(): AsyncIterable<readonly AuditedReservation[]>;
  read(ids: readonly string[]): Promise<readonly AuditedReservation[]>;
}

interface Owner {
  readonly reservation_id: string;
  readonly kind: 'order' | 'void';
  readonly status: OrderStatus | null;
  readonly updated_at: string | null;
}

const pageSize = 500;
/** younger rows may still be on their way from one module to the other */
const settledAfterMs = 60_000;

/**
 * I-02: what the catalog holds, sold or gave back agrees with the claim and the order that it is for, in both directions. The
 * modules are read in snapshots of their own, so only rows older than a minute count, and only if they still disagree on a
 * second look.
 */
export async function* auditReservations(
  db: Database,
  catalog: ReservationReader,
  now: number = Date.now(),
): AsyncGenerator<Finding> {
  for await (const page of catalog.pages()) {
    const suspects = await disagreeing(db, page, now);
    const second = await catalog.read(suspects.map(({ reservationId }) => reservationId));
    for (const reservation of await disagreeing(db, second, now)) yield reservation.finding;
  }
  yield* ordersWithoutReservation(db, catalog);
}

async function disagreeing(db: Database, reservations: readonly AuditedReservation[], now: number) {
  const owners = await readOwners(
    db,
    reservations.map(({ reservationId }) => reservationId),
  );
  return reservations.flatMap(({ reservationId, state, since }) => {
    const owner = owners.get(reservationId);
    const changedAt = Math.max(Date.parse(since), owner?.updated_at ? Date.parse(`${owner.updated_at.replace(' ', 'T')}Z`) : 0);
    if (changedAt > now - settledAfterMs || agree(state, owner)) return [];
    const detail = `is ${state} and belongs to ${describe(owner)}`;
    return [{ reservationId, finding: { invariant: 'I-02', subject: `reservation ${reservationId}`, detail } }];
  });
}

async function readOwners(db: Database, reservationIds: readonly string[]): Promise<ReadonlyMap<string, Owner>> {
  if (reservationIds.length === 0) return new Map();
  const rows = await db.rows<Owner>(
    `SELECT c.reservation_id, c.kind, o.status, o.updated_at FROM orders_claims c LEFT JOIN orders_orders o ON o.id = c.order_id
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
  return owner.kind === 'void' ? 'a void claim' : `a ${owner.status} order`;
}

async function* ordersWithoutReservation(db: Database, catalog: ReservationReader): AsyncGenerator<Finding> {
  for (let after = ''; ; ) {
    const orders = await db.rows<{ id: string; reservation_id: string }>(
      `SELECT id, reservation_id FROM orders_orders WHERE id > ? ORDER BY id LIMIT ${pageSize}`,
      [after],
    );
    const last = orders.at(-1);
    if (last === undefined) return;
    const known = new Set(
      (await catalog.read(orders.map((order) => order.reservation_id))).map(({ reservationId }) => reservationId),
    );
    for (const order of orders) {
      if (!known.has(order.reservation_id))
        yield {
          invariant: 'I-02',
          subject: `order ${order.id}`,
          detail: `its reservation ${order.reservation_id} does not exist`,
        };
    }
    after = last.id;
  }
}

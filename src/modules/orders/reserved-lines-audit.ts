import type { AuditRun } from '../../shared/audit-run.ts';
import type { Finding } from '../../shared/finding.ts';
import type { AuditedReservation, ReservationPage } from '../catalog/index.ts';
import type { AuditedOrder } from './order-pages.ts';

/** What the auditor reads of the catalog, each call in a snapshot of its own. */
export interface ReservationReader {
  pages(): AsyncIterable<Pick<ReservationPage, 'reservations'>>;
  /** unknown ones are left out; at most 1,000 ids */
  read(ids: readonly string[]): Promise<readonly AuditedReservation[]>;
}

/**
 * I-17: the lines of an order are those of its reservation: product, sku, name, price and quantity. Also that there is such a
 * reservation (I-02). It is made before the order and neither ever changes, so only reading again can settle a doubt.
 */
export async function comparePrices(
  orders: readonly AuditedOrder[],
  catalog: ReservationReader,
  run: AuditRun,
): Promise<readonly Finding[]> {
  const suspects = await unlike(orders, catalog);
  if (suspects.length === 0) return [];
  await run.beforeSecondLook();
  const second = await unlike(
    suspects.map(({ order }) => order),
    catalog,
  );
  return second.map(({ finding }) => finding);
}

async function unlike(orders: readonly AuditedOrder[], catalog: ReservationReader) {
  const found = await catalog.read(orders.map((order) => order.reservation_id));
  const reservations = new Map(found.map((reservation) => [reservation.reservationId, reservation]));
  return orders.flatMap((order) => {
    const reservation = reservations.get(order.reservation_id);
    const broken = (invariant: string, detail: string) => [
      { order, finding: { invariant, subject: `order ${order.id}`, detail } },
    ];
    if (reservation === undefined) return broken('I-02', `its reservation ${order.reservation_id} does not exist`);
    if (chargedLines(order) === reservedLines(reservation)) return [];
    return broken('I-17', `its lines are not those of reservation ${order.reservation_id}`);
  });
}

function chargedLines({ lines, currency }: AuditedOrder): string {
  return inWords(lines.map((line) => [line.product_id, line.sku, line.name, line.unit_price, currency, line.quantity]));
}

function reservedLines({ lines }: AuditedReservation): string {
  return inWords(
    lines.map(({ productId, sku, name, unitPrice, quantity }) => [
      productId,
      sku,
      name,
      unitPrice.amount,
      unitPrice.currency,
      quantity,
    ]),
  );
}

function inWords(lines: readonly (readonly (string | number)[])[]): string {
  return lines
    .map((line) => JSON.stringify(line))
    .sort()
    .join();
}

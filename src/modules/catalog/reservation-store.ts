import { forUpdate, idsParam, type Param, placeholders, rowsOfIds, type Sql } from '../../shared/database.ts';
import { fromSql } from '../../shared/instant.ts';
import { databaseClock } from '../../shared/sql-clock.ts';
import type { HeldReservation, ReservationState, ReservedLine } from './catalog-api.ts';

export interface ReservationRow {
  readonly id: string;
  readonly state: ReservationState;
  /** stands for the items; null when it was released before it was made */
  readonly digest: string | null;
  readonly lineCount: number;
}

/** The reservations that exist, by id. With `lock` their rows stay locked until the end of the transaction, taken in the order of ids. */
export async function lookUpReservations(
  sql: Sql,
  ids: readonly string[],
  { lock }: { readonly lock: boolean },
): Promise<Map<string, ReservationRow>> {
  const rows = await sql.rows<ReservationRow>(
    `SELECT id, state, digest, line_count AS lineCount FROM ${rowsOfIds(sql, 'catalog_reservations', 'id')}${lock ? forUpdate(sql) : ''}`,
    [idsParam(ids)],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** The lines of reservations, by reservation and product. */
export async function readLines(sql: Sql, ids: readonly string[]): Promise<Map<string, ReadonlyMap<string, ReservedLine>>> {
  const found = new Map<string, Map<string, ReservedLine>>();
  if (ids.length === 0) return found;
  const rows = await sql.rows<LineRow>(
    `SELECT reservation_id, product_id, sku, name, price_amount, price_currency, quantity FROM ${rowsOfIds(sql, 'catalog_reservation_lines', 'reservation_id')}`,
    [idsParam(ids)],
  );
  for (const row of rows) {
    const lines = found.get(row.reservation_id) ?? new Map<string, ReservedLine>();
    lines.set(row.product_id, {
      productId: row.product_id,
      sku: row.sku,
      name: row.name,
      unitPrice: { amount: row.price_amount, currency: row.price_currency },
      quantity: row.quantity,
    });
    found.set(row.reservation_id, lines);
  }
  return found;
}

interface LineRow {
  readonly reservation_id: string;
  readonly product_id: string;
  readonly sku: string;
  readonly name: string;
  readonly price_amount: number;
  readonly price_currency: string;
  readonly quantity: number;
}

/** Inserts reservations in the order of their ids; ages are measured on the store's clock. @throws a duplicate key for one that exists */
export async function insertReservations(tx: Sql, reservations: readonly ReservationRow[]): Promise<void> {
  const clock = databaseClock(tx);
  for (const some of chunks(
    sortedBy(reservations, ({ id }) => id),
    rowsPerStatement,
  )) {
    const rows = some.map(({ state }) => `(?,?,?,?,${clock},${state === 'held' ? 'NULL' : clock})`).join(',');
    await tx.run(
      `INSERT INTO catalog_reservations (id, state, digest, line_count, created_at, settled_at) VALUES ${rows}`,
      some.flatMap(({ id, state, digest, lineCount }) => [id, state, digest, lineCount]),
    );
  }
}

export async function insertLines(
  tx: Sql,
  lines: readonly { readonly reservationId: string; readonly line: ReservedLine }[],
): Promise<void> {
  const sorted = sortedBy(lines, ({ reservationId, line }) => reservationId + line.productId);
  for (const some of chunks(sorted, rowsPerStatement)) {
    await tx.run(
      `INSERT INTO catalog_reservation_lines (reservation_id, product_id, sku, name, price_amount, price_currency, quantity)
        VALUES ${placeholders(some.length, 7)}`,
      some.flatMap(({ reservationId, line: { productId, sku, name, unitPrice, quantity } }): Param[] => [
        reservationId,
        productId,
        sku,
        name,
        unitPrice.amount,
        unitPrice.currency,
        quantity,
      ]),
    );
  }
}

/** Moves reservations from one state to the next. @returns how many were in that state */
export async function moveReservations(
  tx: Sql,
  { ids, from, to }: { readonly ids: readonly string[]; readonly from: ReservationState; readonly to: ReservationState },
): Promise<number> {
  return tx.run(
    `UPDATE catalog_reservations SET state = ?, settled_at = ${databaseClock(tx)} WHERE id IN ${oneList(ids)} AND +state = ?`,
    [to, ...padded(ids), from],
  );
}

/** Reservations held for longer than `olderThanMs` on the store's clock, oldest first. */
export async function listHeld(
  sql: Sql,
  { olderThanMs, limit }: { olderThanMs: number; limit: number },
): Promise<readonly HeldReservation[]> {
  const rows = await sql.rows<{ id: string; created_at: string }>(
    `SELECT id, created_at FROM catalog_reservations
      WHERE state = 'held' AND created_at < ${databaseClock(sql, -olderThanMs)} ORDER BY created_at, id LIMIT ?`,
    [limit],
  );
  return rows.map((row) => ({ reservationId: row.id, heldSince: fromSql(row.created_at) }));
}

/** Deletes released reservations with their lines; those in another state stay. */
export async function deleteReleased(tx: Sql, ids: readonly string[]): Promise<void> {
  const rows = await lookUpReservations(tx, ids, { lock: true });
  const released = [...rows.values()].filter(({ state }) => state === 'released').map(({ id }) => id);
  if (released.length === 0) return;
  await tx.run(`DELETE FROM catalog_reservation_lines WHERE reservation_id IN ${oneList(released)}`, padded(released));
  await tx.run(`DELETE FROM catalog_reservations WHERE id IN ${oneList(released)} AND +state = 'released'`, padded(released));
}

const rowsPerStatement = 3000;

/**
 * A list for IN, its length rounded up to a power of two, so that few statements are ever prepared. A condition beside it on
 * another indexed column needs a plus, `+state = ?`, else SQLite would sooner read all rows of that state than 8 by their keys.
 */
export function oneList(ids: readonly string[]): string {
  return placeholders(1, roundedUp(ids.length));
}

/** The parameters of `oneList`: the last one is repeated. */
export function padded(ids: readonly string[]): string[] {
  const last = ids.at(-1) ?? '';
  return [...ids, ...Array.from({ length: roundedUp(ids.length) - ids.length }, () => last)];
}

function roundedUp(length: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, length)));
}

function sortedBy<T>(values: readonly T[], key: (value: T) => string): T[] {
  return values
    .map((value) => ({ value, key: key(value) }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ value }) => value);
}

function* chunks<T>(values: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += size) yield values.slice(start, start + size);
}

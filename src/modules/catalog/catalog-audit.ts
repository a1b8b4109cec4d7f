import { type Database, placeholders, type Sql } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import { fromSql } from '../../shared/instant.ts';
import type { ReservationState } from './catalog-api.ts';

/** Read-only checks over everything that the module keeps. */

const pageSize = 500;

interface StockRow {
  readonly product_id: string;
  readonly on_hand: number;
  readonly reserved: number;
}

/**
 * Checks that stock is conserved (I-01): on hand is the sum of the movements, reserved the sum of what is held, and
 * 0 ≤ reserved ≤ on hand. Also that every reservation has all its lines (I-12). Reads in pages, each in one snapshot.
 */
export async function* auditCatalog(db: Database): AsyncGenerator<Finding> {
  for (let after = ''; ; ) {
    const { rows, findings } = await db.transaction((tx) => checkStockPage(tx, after), { readOnly: true });
    yield* findings;
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.product_id;
  }
  yield* brokenReservations(db);
}

async function checkStockPage(tx: Sql, after: string): Promise<{ rows: readonly StockRow[]; findings: readonly Finding[] }> {
  const rows = await tx.rows<StockRow>(
    `SELECT product_id, on_hand, reserved FROM catalog_stock WHERE product_id > ? ORDER BY product_id LIMIT ${pageSize}`,
    [after],
  );
  if (rows.length === 0) return { rows, findings: [] };
  const ids = rows.map((row) => row.product_id);
  const moved = await sums(
    tx,
    `SELECT product_id, CAST(SUM(delta) AS CHAR(40)) AS total FROM catalog_stock_movements
     WHERE product_id IN ${placeholders(1, ids.length)} GROUP BY product_id`,
    ids,
  );
  const held = await sums(
    tx,
    `SELECT l.product_id, CAST(SUM(l.quantity) AS CHAR(40)) AS total FROM catalog_reservations r
     JOIN catalog_reservation_lines l ON l.reservation_id = r.id
     WHERE r.state = 'held' AND l.product_id IN ${placeholders(1, ids.length)} GROUP BY l.product_id`,
    ids,
  );
  return {
    rows,
    findings: rows.flatMap((row) => checkStock(row, moved.get(row.product_id) ?? 0, held.get(row.product_id) ?? 0)),
  };
}

async function sums(sql: Sql, query: string, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.rows<{ product_id: string; total: string }>(query, ids);
  return new Map(rows.map((row) => [row.product_id, Number(row.total)]));
}

function checkStock({ product_id, on_hand, reserved }: StockRow, moved: number, held: number): readonly Finding[] {
  const finding = (detail: string): Finding => ({ invariant: 'I-01', subject: `product ${product_id}`, detail });
  const findings: Finding[] = [];
  if (on_hand !== moved) findings.push(finding(`has ${on_hand} on hand, its movements add up to ${moved}`));
  if (reserved !== held) findings.push(finding(`has ${reserved} reserved, its held reservations add up to ${held}`));
  if (reserved < 0 || reserved > on_hand) findings.push(finding(`has ${reserved} reserved of ${on_hand} on hand`));
  return findings;
}

async function* brokenReservations(db: Database): AsyncGenerator<Finding> {
  const rows = await db.rows<{ id: string; line_count: number; found: number }>(
    `SELECT r.id, r.line_count, COUNT(l.product_id) AS found FROM catalog_reservations r
     LEFT JOIN catalog_reservation_lines l ON l.reservation_id = r.id
     GROUP BY r.id, r.line_count HAVING COUNT(l.product_id) <> r.line_count LIMIT 100`,
  );
  for (const row of rows)
    yield { invariant: 'I-12', subject: `reservation ${row.id}`, detail: `has ${row.found} of ${row.line_count} lines` };
}

interface ReservationRow {
  readonly id: string;
  readonly state: ReservationState;
  readonly created_at: string;
  readonly settled_at: string | null;
}

/** A reservation as the auditor of another module compares it with what it was made for. */
export interface AuditedReservation {
  readonly reservationId: string;
  readonly state: ReservationState;
  /** RFC 3339 UTC: when the state was reached */
  readonly since: string;
}

/** All reservations, in pages. */
export async function* reservationPages(db: Database): AsyncGenerator<readonly AuditedReservation[]> {
  for (let after = ''; ; ) {
    const rows = await db.rows<ReservationRow>(
      `SELECT id, state, created_at, settled_at FROM catalog_reservations WHERE id > ? ORDER BY id LIMIT ${pageSize}`,
      [after],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(toAudited);
    after = last.id;
  }
}

/** These reservations as they are now; unknown ones are left out. */
export async function readReservations(db: Database, ids: readonly string[]): Promise<readonly AuditedReservation[]> {
  if (ids.length === 0) return [];
  const rows = await db.rows<ReservationRow>(
    `SELECT id, state, created_at, settled_at FROM catalog_reservations WHERE id IN ${placeholders(1, ids.length)}`,
    ids,
  );
  return rows.map(toAudited);
}

function toAudited(row: ReservationRow): AuditedReservation {
  return { reservationId: row.id, state: row.state, since: fromSql(row.settled_at ?? row.created_at) };
}

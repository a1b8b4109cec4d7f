import { type Database, idsParam, rowsOfIds, type Sql } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import { type IdRange, lastId, readRange, within } from '../../shared/id-range.ts';
import type { ReservationState, ReservedLine } from './catalog-api.ts';
import { readLines } from './reservation-store.ts';

/** A reservation as an auditor compares it with what it was made for. Times are those of the store (instant.ts). */
export interface AuditedReservation {
  readonly reservationId: string;
  readonly state: ReservationState;
  readonly digest: string | null;
  readonly lineCount: number;
  readonly createdAt: string;
  /** when it was committed or released, and then when it was returned */
  readonly settledAt: string | null;
  readonly lines: readonly ReservedLine[];
}

type Row = Omit<AuditedReservation, 'lines'>;

interface LineRow extends Omit<ReservedLine, 'unitPrice'> {
  readonly reservationId: string;
  readonly amount: number;
  readonly currency: string;
}

const columns = 'id AS reservationId, state, digest, line_count AS lineCount, created_at AS createdAt, settled_at AS settledAt';
const lineColumns =
  'reservation_id AS reservationId, product_id AS productId, sku, name, price_amount AS amount, price_currency AS currency, quantity';
const pageSize = 500;
/** a page is cut where its lines become more */
const maxLines = 5000;

/** One page of reservations with their lines, in one snapshot, and the lines among them that belong to none. */
export interface ReservationPage {
  readonly reservations: readonly AuditedReservation[];
  readonly findings: readonly Finding[];
}

/** All reservations with their lines, in pages, each in one snapshot. `between` is called after each page. */
export async function* reservationPages(db: Database, between: () => Promise<void>): AsyncGenerator<ReservationPage> {
  for (let after = ''; after < lastId; ) {
    const page = await db.transaction((tx) => readPage(tx, { after, upTo: lastId }), { readOnly: true });
    yield page;
    after = page.upTo;
    await between();
  }
}

async function readPage(tx: Sql, whole: IdRange): Promise<ReservationPage & { readonly upTo: string }> {
  const keyOf = ({ reservationId }: { reservationId: string }) => reservationId;
  const found = await readRange<Row>(tx, {
    ...{ select: `SELECT ${columns} FROM catalog_reservations`, key: 'id', keyOf },
    ...{ range: whole, max: pageSize },
  });
  const { rows, range } = await readRange<LineRow>(tx, {
    ...{ select: `SELECT ${lineColumns} FROM catalog_reservation_lines`, key: 'reservation_id', orderBy: 'product_id', keyOf },
    ...{ range: found.range, max: maxLines },
  });
  const lines = Map.groupBy(rows.map(toLine), ({ reservationId }) => reservationId);
  const reservations = within(found.rows, keyOf, range).map((row) => ({ ...row, lines: lines.get(row.reservationId) ?? [] }));
  for (const { reservationId } of reservations) lines.delete(reservationId);
  const findings = [...lines.keys()].map((id) => ({
    ...{ invariant: 'I-12', subject: `reservation ${id}`, detail: 'does not exist, but lines of it do' },
  }));
  return { reservations, findings, upTo: range.upTo };
}

function toLine({ amount, currency, ...line }: LineRow): ReservedLine & { readonly reservationId: string } {
  return { ...line, unitPrice: { amount, currency } };
}

/** These reservations with their lines as they are now; unknown ones are left out. At most 1,000 ids. */
export async function readReservations(db: Database, ids: readonly string[]): Promise<readonly AuditedReservation[]> {
  if (ids.length === 0) return [];
  return db.transaction(
    async (tx) => {
      const rows = await tx.rows<Row>(`SELECT ${columns} FROM ${rowsOfIds(tx, 'catalog_reservations', 'id')}`, [idsParam(ids)]);
      const lines = await readLines(tx, ids);
      return rows.map((row) => ({ ...row, lines: [...(lines.get(row.reservationId)?.values() ?? [])] }));
    },
    { readOnly: true },
  );
}

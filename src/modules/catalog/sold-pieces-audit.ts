import { type AuditRun, settledAfterMs } from '../../shared/audit-run.ts';
import type { Database } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import { toSql } from '../../shared/instant.ts';
import { createMultisetBalance } from '../../shared/multiset-balance.ts';
import type { ReservationState } from './catalog-api.ts';
import type { AuditedReservation } from './reservation-pages.ts';

/** so many reservations that were held for long may be remembered; beyond that the shop has another problem */
const maxHeld = 100_000;
/** a broken ledger is named row by row in this many buckets of the balance only */
const maxBuckets = 4;
const pageSize = 1000;

interface MovementRow {
  readonly id: string;
  readonly product_id: string;
  readonly kind: 'initial' | 'adjustment' | 'set' | 'sale' | 'return';
  readonly delta: number;
  readonly reservation_id: string | null;
  readonly stock: string | null;
  readonly state: ReservationState | null;
  readonly reserved_at: string | null;
  readonly settled_at: string | null;
  readonly quantity: number | null;
}

/** Entries that both sides have to have: what reservations say was sold or returned, and what the ledger says. */
export interface SoldPieces {
  /** Takes in one page of reservations. */
  reservations(page: readonly AuditedReservation[]): void;
  /** Checks every movement, then both sides against each other. */
  movements(): AsyncGenerator<Finding>;
  /** The buckets of the balance where the sides differ. */
  unbalanced(): readonly number[];
}

/**
 * I-11: each line of a committed reservation has one sale movement, each of a returned one also one return movement, and
 * there are no others. No index leads from a reservation to its movements, so both sides are walked once, reservations first,
 * and compared as multisets. Only what could not change between the two walks takes part: sales of reservations that are
 * old and were not held any more, returns that are old.
 */
export function createSoldPieces(db: Database, run: AuditRun, look: (bucket: number, entry: string, times: 1 | -1) => void) {
  const before = toSql(new Date(run.now - settledAfterMs));
  const balance = createMultisetBalance();
  const held = new Set<string>();
  const enter = (times: 1 | -1, entry: string) => {
    balance.add(entry, times);
    look(balance.bucketOf(entry), entry, times);
  };

  const sides: SoldPieces = {
    reservations: (page) => {
      for (const reservation of page) {
        const { reservationId, state, createdAt } = reservation;
        if (state === 'held' && createdAt < before && held.size < maxHeld) held.add(reservationId);
        for (const entry of entriesOf(reservation, before)) enter(1, entry);
      }
    },
    unbalanced: () => (held.size < maxHeld ? balance.unbalanced() : []),
    movements: async function* () {
      for (let after = ''; ; ) {
        const rows = await readMovements(db, after);
        for (const row of rows) {
          if (row.stock === null)
            yield {
              invariant: 'I-12',
              subject: `movement ${row.id}`,
              detail: `is of product ${row.product_id}, which has no stock`,
            };
          const broken = faultOf(row);
          if (broken !== undefined) yield { ...broken, subject: `movement ${row.id}` };
          const entry = entryOf(row, { before, held });
          if (entry !== undefined) enter(-1, entry);
        }
        const last = rows.at(-1);
        if (last === undefined) return;
        after = last.id;
        await run.breathe();
      }
    },
  };
  return sides;
}

function* entriesOf(
  { reservationId, state, createdAt, settledAt, lines }: AuditedReservation,
  before: string,
): Generator<string> {
  const sold = (state === 'committed' || state === 'returned') && createdAt < before;
  const returned = state === 'returned' && settledAt !== null && settledAt < before;
  for (const { productId, quantity } of lines) {
    const what = `of ${quantity} of product ${productId} for reservation ${reservationId}`;
    if (sold) yield `sale ${what}`;
    if (returned) yield `return ${what}`;
  }
}

function readMovements(db: Database, after: string) {
  return db.rows<MovementRow>(
    `SELECT m.id, m.product_id, m.kind, m.delta, m.reservation_id, s.product_id AS stock, r.state, r.created_at AS reserved_at,
       r.settled_at, l.quantity
     FROM (SELECT id, product_id, kind, delta, reservation_id FROM catalog_stock_movements WHERE id > ? ORDER BY id LIMIT ${pageSize}) m
     LEFT JOIN catalog_stock s ON s.product_id = m.product_id
     LEFT JOIN catalog_reservations r ON r.id = m.reservation_id
     LEFT JOIN catalog_reservation_lines l ON l.reservation_id = m.reservation_id AND l.product_id = m.product_id
     ORDER BY m.id`,
    [after],
  );
}

/** What is wrong with a movement by itself: reservation, line and movement are written in one transaction. */
function faultOf(row: MovementRow): Omit<Finding, 'subject'> | undefined {
  const { kind, reservation_id, state, delta, quantity } = row;
  const forOrder = kind === 'sale' || kind === 'return';
  if (forOrder !== (reservation_id !== null))
    return { invariant: 'I-11', detail: `is a ${kind} of product ${row.product_id} for reservation ${reservation_id}` };
  if (!forOrder) return undefined;
  const due = kind === 'return' ? state === 'returned' : state === 'committed' || state === 'returned';
  if (!due || quantity === null || delta !== (kind === 'sale' ? -quantity : quantity))
    return {
      invariant: 'I-11',
      detail: `is a ${kind} by ${delta} of product ${row.product_id} for reservation ${reservation_id}, which is ${state ?? 'unknown'} and has ${quantity ?? 'none'} of it`,
    };
  return undefined;
}

function entryOf(row: MovementRow, { before, held }: { before: string; held: ReadonlySet<string> }): string | undefined {
  const { kind, product_id, reservation_id: id, reserved_at, settled_at, state } = row;
  if (faultOf(row) !== undefined || id === null || reserved_at === null) return undefined;
  const what = `of ${row.quantity} of product ${product_id} for reservation ${id}`;
  if (kind === 'sale') return reserved_at < before && !held.has(id) ? `sale ${what}` : undefined;
  return state === 'returned' && settled_at !== null && settled_at < before ? `return ${what}` : undefined;
}

/** Names the entries that only one side has, after a walk has shown that there are some. Walks both sides once more. */
export async function* differencesIn(
  db: Database,
  {
    run,
    buckets,
    pages,
  }: { run: AuditRun; buckets: readonly number[]; pages: () => AsyncIterable<readonly AuditedReservation[]> },
): AsyncGenerator<Finding> {
  const wanted = new Set(buckets.slice(0, maxBuckets));
  const entries = new Map<string, number>();
  const sides = createSoldPieces(db, run, (bucket, entry, times) => {
    if (wanted.has(bucket)) entries.set(entry, (entries.get(entry) ?? 0) + times);
  });
  for await (const page of pages()) sides.reservations(page);
  for await (const _ of sides.movements());
  for (const [entry, surplus] of entries) {
    if (surplus === 0) continue;
    const detail = surplus > 0 ? 'is not in the ledger' : `is in the ledger ${1 - surplus} times`;
    yield { invariant: 'I-11', subject: entry, detail };
  }
  if (buckets.length > maxBuckets)
    yield {
      invariant: 'I-11',
      subject: 'the ledger',
      detail: `differs from the reservations in ${buckets.length} of 4096 parts`,
    };
}

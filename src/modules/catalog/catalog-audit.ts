import type { AuditRun } from '../../shared/audit-run.ts';
import type { Database } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import { type AuditedReservation, reservationPages } from './reservation-pages.ts';
import { createSoldPieces, differencesIn } from './sold-pieces-audit.ts';
import { auditStock } from './stock-audit.ts';

/**
 * Read-only checks over everything that the module keeps: stock (I-01), states of reservations (I-02), one movement for each
 * line that was sold or returned (I-11), whole reservations (I-12). Reads in pages, each in one snapshot.
 */
export async function* auditCatalog(db: Database, run: AuditRun): AsyncGenerator<Finding> {
  yield* auditStock(db, run);
  run.count('reservations');
  const sold = createSoldPieces(db, run, () => {});
  for await (const { reservations, findings } of reservationPages(db, run.breathe)) {
    yield* findings;
    for (const reservation of reservations) yield* checkReservation(reservation);
    sold.reservations(reservations);
    run.count('reservations', reservations.length);
  }
  yield* sold.movements();
  const buckets = sold.unbalanced();
  if (buckets.length > 0) yield* differencesIn(db, { run, buckets, pages: () => wholePages(db, run) });
}

async function* wholePages(db: Database, run: AuditRun): AsyncGenerator<readonly AuditedReservation[]> {
  for await (const { reservations } of reservationPages(db, run.breathe)) yield reservations;
}

function* checkReservation(reservation: AuditedReservation): Generator<Finding> {
  const { reservationId, state, digest, lineCount, settledAt, lines } = reservation;
  const broken = (invariant: string, detail: string) => ({ invariant, subject: `reservation ${reservationId}`, detail });
  if (lines.length !== lineCount) yield broken('I-12', `has ${lines.length} of ${lineCount} lines`);
  if (!['held', 'committed', 'released', 'returned'].includes(state)) yield broken('I-02', `is ${state}, which is no state`);
  if ((settledAt === null) !== (state === 'held'))
    yield broken('I-02', `is ${state} and was settled ${settledAt === null ? 'never' : `at ${settledAt}`}`);
  if (digest === null && state !== 'released') yield broken('I-02', `is ${state} although it was released before it was made`);
}

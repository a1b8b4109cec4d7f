import type { AuthAudit } from './modules/auth/index.ts';
import { auditCatalog, readReservations, reservationPages } from './modules/catalog/index.ts';
import { auditErasures, auditOrders, auditReservations } from './modules/orders/index.ts';
import type { AuditRun } from './shared/audit-run.ts';
import type { Database } from './shared/database.ts';
import type { Finding } from './shared/finding.ts';

/** The invariants that data can show, by number; docs/operating.md says who checks the others. */
export const auditedInvariants: Readonly<Record<string, string>> = {
  'I-01': 'stock is the sum of its movements, reserved the sum of what is held, and 0 ≤ reserved ≤ on hand',
  'I-02': 'every reservation agrees with the order or claim that it belongs to',
  'I-03': 'orders made legal transitions only, and their history has no gap',
  'I-04': 'every order owns the claim of its reservation, so a key has one order',
  'I-09': 'no transition without its event, no event without its transition',
  'I-10': 'every event was delivered',
  'I-11': 'each line that was sold or returned has one movement, and what was handled had its effect',
  'I-12': 'no part of a transaction stands alone, and sums are the sums of their parts',
  'I-17': 'orders charge what their reservations fixed',
};

/** Those that need the users' store. */
export const auditedUserInvariants: Readonly<Record<string, string>> = {
  'I-08': 'a username has one user, and admins are admins',
  'I-15': 'no session of a user who is gone',
  'I-31': 'nothing personal is left of erased users',
};

export interface AuditedStores {
  readonly db: Database;
  /** absent: what users can show is left out */
  readonly users?: AuthAudit | undefined;
}

/**
 * Yields every row that breaks an invariant. Reads only, in short statements and pages; safe beside a running shop. Each
 * module reads its own tables, and what two modules disagree about is looked at twice.
 */
export async function* auditShop({ db, users }: AuditedStores, run: AuditRun): AsyncGenerator<Finding> {
  const reader = {
    pages: () => reservationPages(db, run.breathe),
    read: (ids: readonly string[]) => readReservations(db, ids),
  };
  yield* auditCatalog(db, run);
  yield* auditOrders(db, reader, run);
  yield* auditReservations(db, reader, run);
  if (users === undefined) return;
  yield* users.findings(run);
  yield* auditErasures(db, users.goneUsers(run), run);
}

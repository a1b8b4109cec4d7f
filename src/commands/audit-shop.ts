import { auditCatalog, readReservations, reservationPages } from '../modules/catalog/index.ts';
import { auditOrders, auditReservations } from '../modules/orders/index.ts';
import type { Database } from '../shared/database.ts';
import type { Finding } from '../shared/finding.ts';

/** The invariants that `auditShop` checks, by number. */
export const auditedInvariants: Readonly<Record<string, string>> = {
  'I-01': 'stock is the sum of its movements, reserved the sum of what is held, and 0 ≤ reserved ≤ on hand',
  'I-02': 'every reservation agrees with the order or claim that it belongs to',
  'I-03': 'orders made legal transitions only, and their history has no gap',
  'I-04': 'every order owns the claim of its reservation, so a key has one order',
  'I-09': 'no transition without its event, no event without its transition',
  'I-10': 'every event was delivered',
  'I-12': 'no part of a transaction stands alone, and sums are the sums of their parts',
};

/** Yields every row that breaks an invariant. Reads only; safe beside a running shop. */
export async function* auditShop(db: Database, now: number = Date.now()): AsyncGenerator<Finding> {
  yield* auditCatalog(db);
  yield* auditOrders(db, now);
  yield* auditReservations(db, { pages: () => reservationPages(db), read: (ids) => readReservations(db, ids) }, now);
}

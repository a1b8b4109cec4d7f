import { type Database, isDuplicateKey } from '../../shared/database.ts';
import type { Catalog } from '../catalog/index.ts';
import { type Claim, insertVoidClaim, readClaim } from './claim-store.ts';

/**
 * Makes sure that an attempt is either an order or void for ever, and gives its pieces back when it is void. Idempotent.
 * Answers the claim that won. @throws when the store can't tell: then the sweep comes back to it
 */
export type Abandon = (reservationId: string) => Promise<Claim>;

/** The pieces are given back only after the void claim is committed: no order can appear over them any more. */
export function createAbandon({ db, catalog, now }: { db: Database; catalog: Catalog; now: () => number }): Abandon {
  async function claimVoid(reservationId: string): Promise<Claim> {
    try {
      await insertVoidClaim(db, reservationId, new Date(now()));
      return { kind: 'void' };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const claim = await readClaim(db, reservationId);
      if (claim === undefined) throw error;
      return claim;
    }
  }

  return async (reservationId) => {
    const claim = await claimVoid(reservationId);
    if (claim.kind === 'void') await catalog.release(reservationId);
    return claim;
  };
}

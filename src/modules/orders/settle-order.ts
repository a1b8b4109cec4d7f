import type { BackgroundTask } from '../../shared/background.ts';
import type { Database } from '../../shared/database.ts';
import { Failure } from '../../shared/failure.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Abandon } from './abandon-attempt.ts';
import { readClaim } from './claim-store.ts';
import { createOrderLookUp } from './coalesced-reads.ts';
import type { Transition } from './order-transitions.ts';

export interface SettlingDependencies {
  readonly db: Database;
  readonly catalog: Catalog;
  readonly transition: Transition;
  readonly abandon: Abandon;
}

/**
 * Settles one order. With the event that asked for it, the event is recorded as handled together with the order's transition;
 * false when there was none, so that the caller has to record it.
 */
export type Settle = (orderId: string, cause?: { readonly eventId: string }) => Promise<boolean>;

/** Each round reads the state anew; an order passes through far fewer states than this. */
const maxRounds = 10;

/**
 * Drives an order's reservation to where the order's state says: placed → the pieces are sold and the order is confirmed;
 * cancelled → they are given back. Reads the present state and acts on it, so repeats and any order of events are harmless.
 */
export function createSettling({ db, catalog, transition, abandon }: SettlingDependencies) {
  const lookUpOrder = createOrderLookUp(db);

  async function settle(orderId: string, cause?: { readonly eventId: string }): Promise<boolean> {
    for (let round = 0; round < maxRounds; round++) {
      const order = await lookUpOrder(orderId);
      if (order?.status === 'cancelled') await catalog.release(order.reservation_id);
      if (order?.status !== 'placed') return false;
      const state = await catalog.commit(order.reservation_id);
      if (state === 'committed' && (await confirm(orderId, cause))) return true;
    }
    throw new Error(`order ${orderId} does not settle`);
  }

  /** False when the order is no longer placed: a cancel was faster, or another worker. */
  async function confirm(orderId: string, cause: { readonly eventId: string } | undefined): Promise<boolean> {
    try {
      await transition({ orderId, to: 'confirmed', by: 'system', ...(cause !== undefined && { cause: cause.eventId }) });
      return true;
    } catch (error) {
      if (error instanceof Failure && error.code === 'illegal-transition') return false;
      throw error;
    }
  }

  /** What is still held after a minute was left behind by a request that died: its order is settled, or its attempt abandoned. */
  async function recover(reservationId: string): Promise<void> {
    const known = await readClaim(db, reservationId);
    const claim = known?.kind === 'order' ? known : await abandon(reservationId);
    if (claim.kind === 'order') await settle(claim.orderId);
  }

  return { settle, recover };
}

const sweepPageSize = 100;

/** The sweep: nothing expires in the catalog, so what is held for long is looked at here. */
export function sweepTask({
  catalog,
  recover,
  heldForMs,
  everyMs,
}: {
  catalog: Catalog;
  recover: (reservationId: string) => Promise<void>;
  heldForMs: number;
  everyMs: number;
}): BackgroundTask {
  return {
    name: 'orders-sweep',
    everyMs,
    run: async () => {
      const held = await catalog.heldReservations({ olderThanMs: heldForMs, limit: sweepPageSize });
      const results = await Promise.allSettled(held.map(({ reservationId }) => recover(reservationId)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return held.length === sweepPageSize;
    },
  };
}

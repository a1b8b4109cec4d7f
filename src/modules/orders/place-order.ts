import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type Database, isDuplicateKey } from '../../shared/database.ts';
import { withoutDeadline } from '../../shared/deadline.ts';
import { Failure, type ProblemCode, unavailable } from '../../shared/failure.ts';
import { derivedId, newId } from '../../shared/identifier.ts';
import type { Catalog, Reservation, ReservedLine } from '../catalog/index.ts';
import type { Abandon } from './abandon-attempt.ts';
import { type Claim, readClaim } from './claim-store.ts';
import { mergeWishes, placedOrder } from './order.ts';
import type { OrderInserter } from './order-inserter.ts';
import { readPlacedOrder } from './order-store.ts';
import type { Order, Orders, PlaceRequest } from './orders-api.ts';

interface Placed {
  readonly order: Order;
  readonly replayed: boolean;
}

/** One try to place under one reservation. */
interface Attempt {
  readonly reservationId: string;
  readonly userId: string;
  readonly fingerprint: string;
}

const nextAttempt = Symbol('the attempt is void: try the next one');

/** After so many given-up attempts under one key the client has to wait for somebody to look at the shop. */
const maxAttempts = 100;

/** What `catalog.reserve` decides inside its transaction, which then leaves nothing behind, or did not begin. */
const refusals: ReadonlySet<ProblemCode> = new Set([
  'validation',
  'mixed-currencies',
  'out-of-stock',
  'total-changed',
  'overloaded',
]);

export interface PlacingDependencies {
  readonly db: Database;
  readonly catalog: Catalog;
  readonly insertOrder: OrderInserter;
  readonly abandon: Abandon;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Placing an order over two modules without a common transaction: reserve, then claim and insert. Each step may be lost or
 * answered late; what was claimed decides. The steps and their guards are those of docs/order-flow.md.
 */
export function createPlacing({ db, catalog, insertOrder, abandon, now, log }: PlacingDependencies): Orders['place'] {
  async function place({ userId, items, expectedTotal, idempotencyKey }: PlaceRequest): Promise<Placed> {
    const merged = mergeWishes(items);
    const fingerprint = fingerprintOf(merged, expectedTotal);
    for (let number = 1; number <= (idempotencyKey === undefined ? 1 : maxAttempts); number++) {
      const reservationId =
        idempotencyKey === undefined ? newId(now()) : derivedId('order', userId, idempotencyKey, String(number));
      const attempt = { reservationId, userId, fingerprint };
      const reservation = await reserve(attempt, merged, expectedTotal);
      const result = 'replayed' in reservation ? reservation : await turnIntoOrder(attempt, reservation);
      if (result !== nextAttempt) return result;
    }
    throw unavailable('The order could not be placed.');
  }

  async function reserve(attempt: Attempt, merged: ReturnType<typeof mergeWishes>, expectedTotal: PlaceRequest['expectedTotal']) {
    const wishes = merged.map(({ productId, quantity }) => ({ productId, quantity }));
    try {
      return await catalog.reserve(attempt.reservationId, wishes, expectedTotal === undefined ? {} : { expectedTotal });
    } catch (error) {
      if (error instanceof Failure && refusals.has(error.code)) throw withSentPositions(error, merged);
      return giveUp(attempt, error);
    }
  }

  async function turnIntoOrder(attempt: Attempt, reservation: Reservation): Promise<Placed | typeof nextAttempt> {
    if (reservation.outcome === 'reserved') return insert(attempt, reservation.lines);
    const claim = await readClaim(db, attempt.reservationId);
    if (claim !== undefined) return obey(claim, attempt);
    if (reservation.outcome === 'mismatch') throw keyReused();
    return insert(attempt, reservation.lines);
  }

  async function insert(attempt: Attempt, lines: readonly ReservedLine[]): Promise<Placed | typeof nextAttempt> {
    if (lines.length === 0) return giveUp(attempt, new Error('A released reservation without its void claim.'));
    const at = now();
    const order = placedOrder({ id: newId(at), userId: attempt.userId, lines, now: at });
    try {
      await insertOrder({ ...attempt, order });
      return { order, replayed: false };
    } catch (error) {
      if (!isDuplicateKey(error)) return giveUp(attempt, error, order.id);
      const claim = await readClaim(db, attempt.reservationId);
      return claim === undefined ? giveUp(attempt, error) : obey(claim, attempt);
    }
  }

  /** The claim that won decides. A void attempt is released first: its pieces, still held, would refuse their own retry. */
  async function obey(claim: Claim, attempt: Attempt): Promise<Placed | typeof nextAttempt> {
    if (claim.kind === 'order') return answer(claim, attempt);
    await catalog.release(attempt.reservationId);
    return nextAttempt;
  }

  /** Replayed is what an earlier request placed, `ownId` what this one did. */
  async function answer(claim: Extract<Claim, { kind: 'order' }>, attempt: Attempt, ownId?: string): Promise<Placed> {
    if (claim.fingerprint !== attempt.fingerprint) throw keyReused();
    return { order: await readPlacedOrder(db, claim.orderId), replayed: claim.orderId !== ownId };
  }

  /** The attempt failed without a definite answer: 201 if it was placed after all, else it is made void and answered 503. */
  async function giveUp(attempt: Attempt, cause: unknown, ownId?: string): Promise<Placed> {
    log.warn(
      { reservationId: attempt.reservationId, error: cause instanceof Error ? cause.message : String(cause) },
      'giving up an attempt',
    );
    const claim = await withoutDeadline(() => abandon(attempt.reservationId)).catch((error: unknown) => {
      throw unavailable('The order could not be placed.', error);
    });
    if (claim.kind === 'order') return answer(claim, attempt, ownId);
    throw unavailable('The order could not be placed.', cause);
  }

  return place;
}

/** What makes two requests the same: products, quantities and the expected total, in whatever order the lines came. */
function fingerprintOf(items: ReturnType<typeof mergeWishes>, expectedTotal: PlaceRequest['expectedTotal']): string {
  const lines = items.map(({ productId, quantity }) => [productId, quantity] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  const total = expectedTotal === undefined ? null : [expectedTotal.amount, expectedTotal.currency];
  return createHash('sha256')
    .update(JSON.stringify([lines, total]))
    .digest('hex');
}

/** The catalog counts the merged items; the client knows the lines that he sent. */
function withSentPositions(failure: Failure, merged: ReturnType<typeof mergeWishes>): Failure {
  const { errors } = failure.members;
  if (failure.code !== 'validation' || !Array.isArray(errors)) return failure;
  const moved = errors.map((entry: { pointer: string; detail: string }) => ({
    ...entry,
    pointer: entry.pointer.replace(/^\/items\/(\d+)/, (whole, index) => {
      const item = merged[Number(index)];
      return item === undefined ? whole : `/items/${item.firstIndex}`;
    }),
  }));
  return new Failure('validation', { members: { errors: moved } });
}

function keyReused(): Failure {
  return new Failure('idempotency-key-reused', { detail: 'This Idempotency-Key was sent with another body before.' });
}

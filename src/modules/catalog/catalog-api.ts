/**
 * The contract of the catalog: what other modules may ask of it. Everything is plain JSON-able data, so that an HTTP client
 * can stand in for the module. Every call may also fail with `unavailable` when the store is down, and
 * with `overloaded` when it was not begun.
 */
export interface Catalog {
  /**
   * Holds stock for all items or for none and fixes today's prices. Items name each product once.
   * Idempotent by `reservationId`: the same items with the same expected total get the first answer again (`known`), others
   * get `mismatch`.
   * A refusal leaves nothing behind.
   * @throws validation (unknown products, a total beyond 2^53 − 1; pointers into `/items/<index>`), mixed-currencies,
   *   out-of-stock (`items: [{productId, requested, available}]`, every short item), total-changed (`total`)
   */
  reserve(
    reservationId: string,
    items: readonly ReservationItem[],
    options?: { readonly expectedTotal?: Money },
  ): Promise<Reservation>;
  /**
   * Sells what is held. Idempotent. A released or returned reservation stays as it is, and the answer says so;
   * `unknown` when there is no such reservation.
   */
  commit(reservationId: string): Promise<ReservationState | 'unknown'>;
  /**
   * Gives the pieces back: of a held reservation to the shelf, of a committed one as a return. Idempotent. The release of
   * an unknown reservation is remembered, so that a late `reserve` of that id holds nothing.
   */
  release(reservationId: string): Promise<'released' | 'returned'>;
  /** Reservations that have been held for longer than `olderThanMs` by the store's clock, oldest first, at most `limit`. */
  heldReservations(query: { readonly olderThanMs: number; readonly limit: number }): Promise<readonly HeldReservation[]>;
  /** What state each reservation is in; unknown ones are left out. At most 1,000 ids. */
  reservationStates(
    reservationIds: readonly string[],
  ): Promise<readonly { readonly reservationId: string; readonly state: ReservationState }[]>;
  /** Forgets released reservations for good. Others stay. Idempotent. At most 1,000 ids. */
  forget(reservationIds: readonly string[]): Promise<void>;
}

/** Integer minor units of an ISO 4217 currency: 1299 GBP is £12.99. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

export interface ReservationItem {
  readonly productId: string;
  /** pieces, 1 to 1,000,000 for each line of an order; the sum over its lines may be more */
  readonly quantity: number;
}

/** held → committed or released; committed → returned */
export type ReservationState = 'held' | 'committed' | 'released' | 'returned';

export interface Reservation {
  /** `reserved` now, `known` from an earlier call (`lines` as they were then), or `mismatch`: the id is taken by other items */
  readonly outcome: 'reserved' | 'known' | 'mismatch';
  /** in the order of the items; empty after `mismatch` and for a reservation that was released before it was made */
  readonly lines: readonly ReservedLine[];
}

export interface ReservedLine {
  readonly productId: string;
  readonly sku: string;
  readonly name: string;
  readonly unitPrice: Money;
  readonly quantity: number;
}

export interface HeldReservation {
  readonly reservationId: string;
  /** RFC 3339 UTC */
  readonly heldSince: string;
}

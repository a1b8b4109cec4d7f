import type { Page } from '../../shared/page.ts';

/** The contract of orders. Plain JSON-able data; every call may fail with `unavailable` when a store is down. */
export interface Orders {
  /**
   * Places an order: all lines or none. With a key it is idempotent: the same request again answers the order as it was
   * placed (`replayed`), copies that run at once converge on one order. A refusal is not remembered.
   * @throws validation, mixed-currencies, out-of-stock, total-changed, idempotency-key-reused
   */
  place(request: PlaceRequest): Promise<{ readonly order: Order; readonly replayed: boolean }>;
  /** @throws not-found, also for somebody else's order when `userId` is given */
  get(query: { readonly orderId: string; readonly userId?: string }): Promise<Order>;
  /** Newest first. */
  list(query: OrderQuery): Promise<Page<Order>>;
  /** What happened to an order so far, oldest first. @throws not-found as `get` */
  timeline(query: { readonly orderId: string; readonly userId?: string }): Promise<readonly OrderEvent[]>;
  /**
   * Cancels, ships or delivers. Cancelling twice answers the order; other repeats are refused.
   * @throws not-found as `get`, illegal-transition (`from`, `to`, `allowed`)
   */
  transition(request: TransitionRequest): Promise<Order>;
  /** Orders placed and cancelled on the days from `from` to `to`, both included, by currency. */
  summary(query: { readonly from: string; readonly to: string }): Promise<readonly CurrencySummary[]>;
}

/** `placed → confirmed → shipped → delivered`; `cancelled` from the first two */
export type OrderStatus = 'placed' | 'confirmed' | 'shipped' | 'delivered' | 'cancelled';

/** Integer minor units of an ISO 4217 currency: 1299 GBP is £12.99. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

/** An order as clients see it; prices, names and skus are those of the moment of ordering. */
export interface Order {
  readonly id: string;
  readonly userId: string;
  readonly status: OrderStatus;
  readonly items: readonly OrderLine[];
  readonly total: Money;
  /** 1 when placed, raised by each transition: also the sequence of the order's events */
  readonly version: number;
  /** RFC 3339 UTC */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface OrderLine {
  readonly productId: string;
  readonly sku: string;
  readonly name: string;
  readonly unitPrice: Money;
  readonly quantity: number;
  readonly lineTotal: Money;
}

export interface ItemWish {
  readonly productId: string;
  readonly quantity: number;
}

export interface PlaceRequest {
  readonly userId: string;
  /** 1 to 2,000; repeated products add up */
  readonly items: readonly ItemWish[];
  readonly expectedTotal?: Money;
  readonly idempotencyKey?: string;
}

export interface OrderQuery {
  readonly userId?: string;
  readonly status?: OrderStatus;
  /** created at this time (RFC 3339) or later */
  readonly from?: string;
  /** created before this time */
  readonly before?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface TransitionRequest {
  readonly orderId: string;
  /** only this user's order */
  readonly userId?: string;
  readonly to: OrderStatus;
  readonly by: Actor;
  readonly carrier?: string;
  readonly trackingNumber?: string;
}

/** Who caused a transition. */
export type Actor = 'customer' | 'staff' | 'system';

export interface OrderEvent {
  /** the order's version that the event led to, from 1, without gaps */
  readonly sequence: number;
  readonly type: `order.${OrderStatus}`;
  readonly status: OrderStatus;
  readonly at: string;
  readonly by: Actor;
  readonly carrier?: string;
  readonly trackingNumber?: string;
}

export interface DayFacts {
  readonly count: number;
  readonly pieces: number;
  readonly total: Money;
}

export interface CurrencySummary {
  readonly currency: string;
  readonly placed: DayFacts;
  readonly cancelled: DayFacts;
}

/** `ok`: the effect is there; `fail`: a definite refusal, without effect; `unknown`: no answer, or a 5xx: zero or one effect. */
export type Outcome = 'ok' | 'fail' | 'unknown';

export type OperationKind =
  | 'register'
  | 'login'
  | 'refresh'
  | 'logout'
  | 'place'
  | 'cancel'
  | 'ship'
  | 'deliver'
  | 'edit'
  | 'adjust'
  | 'read-order'
  | 'list-orders'
  | 'read-product'
  | 'read-stock';

export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** One request of a client and what came of it. Times are milliseconds of one clock, that of the tests. */
export interface Operation {
  readonly kind: OperationKind;
  /** the name of the user who asked */
  readonly user: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** absent: no whole answer came */
  readonly status?: number;
  readonly retryAfter?: string;
  readonly requestId?: string;
  /** the body, parsed when it is JSON */
  readonly body?: unknown;
  readonly text?: string;
  /** the Idempotency-Key */
  readonly key?: string;
  readonly items?: readonly Line[];
  readonly orderId?: string;
  readonly productId?: string;
  /** the version that an edit began from */
  readonly base?: number;
  /** minor units, what an edit sets */
  readonly price?: number;
  readonly name?: string;
  readonly delta?: number;
  readonly refreshToken?: string;
}

export interface History {
  readonly operations: readonly Operation[];
  add(operation: Operation): void;
}

export function createHistory(): History {
  const operations: Operation[] = [];
  return { operations, add: (operation) => void operations.push(operation) };
}

/** What an answer means for the one who asked. */
export function outcomeOf(status: number | undefined, slug: string | undefined): Outcome {
  if (status === undefined || status >= 500) return 'unknown';
  if (slug === 'idempotency-in-flight') return 'unknown';
  return status < 400 ? 'ok' : 'fail';
}

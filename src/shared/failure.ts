/**
 * Everything that a request can be refused with. The slugs are a closed list and part of the wire contract:
 * `type` is `/problems/<slug>`, and clients branch on it.
 */
export const problems = {
  malformed: { status: 400, title: 'The request can not be read' },
  validation: { status: 422, title: 'The request breaks a rule' },
  unauthenticated: { status: 401, title: 'A valid access token is needed' },
  'invalid-credentials': { status: 401, title: 'Username or password is wrong' },
  'invalid-refresh-token': { status: 401, title: 'The refresh token is not valid' },
  forbidden: { status: 403, title: 'Not allowed for this account' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The resource does not know this method' },
  'not-acceptable': { status: 406, title: 'The answer does not exist in this format' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-type': { status: 415, title: 'The format of the body is not supported' },
  'precondition-required': { status: 428, title: 'An If-Match header is needed' },
  'version-mismatch': { status: 412, title: 'Somebody else was faster' },
  duplicate: { status: 409, title: 'It exists already' },
  'out-of-stock': { status: 409, title: 'Not enough in stock' },
  'total-changed': { status: 409, title: 'The total is not the expected one' },
  'mixed-currencies': { status: 422, title: 'One order has one currency' },
  'illegal-transition': { status: 409, title: 'Not possible in this state' },
  'idempotency-in-flight': { status: 409, title: 'The same request is still running' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key belongs to another request' },
  'last-admin': { status: 409, title: 'One admin has to stay' },
  throttled: { status: 429, title: 'Too many requests' },
  overloaded: { status: 503, title: 'Too busy right now' },
  unavailable: { status: 503, title: 'Not available right now' },
  internal: { status: 500, title: 'A fault of ours' },
} as const;

export type ProblemCode = keyof typeof problems;

export interface RuleViolation {
  /** JSON pointer (RFC 6901) into the body */
  readonly pointer: string;
  readonly detail: string;
}

export interface FailureDetails {
  readonly detail?: string;
  /** further members of the problem document, JSON-able */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The one error for the expected: a request that is refused, with the code that says why. */
export class Failure extends Error {
  readonly code: ProblemCode;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, { detail, members = {}, headers = {}, cause }: FailureDetails = {}) {
    super(detail ?? problems[code].title, { cause });
    this.name = 'Failure';
    this.code = code;
    this.members = members;
    this.headers = headers;
  }
}

/** 422 with one entry for each broken rule. */
export function validationFailure(errors: readonly RuleViolation[]): Failure {
  return new Failure('validation', { members: { errors } });
}

/** 503 for what was not begun, because there is too much to do. */
export function overloaded(retryAfterSeconds = 1): Failure {
  return new Failure('overloaded', { headers: { 'Retry-After': String(retryAfterSeconds) } });
}

/** 503 for a dependency that is down; the client may try again after `retryAfterSeconds`. */
export function unavailable(detail: string, cause?: unknown, retryAfterSeconds = 1): Failure {
  return new Failure('unavailable', { detail, cause, headers: { 'Retry-After': String(retryAfterSeconds) } });
}

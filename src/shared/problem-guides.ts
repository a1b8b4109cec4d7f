import { z } from 'zod';
import type { ProblemGuides } from './problem-guide.ts';

const violations = z.array(
  z.object({ pointer: z.string().meta({ description: 'JSON pointer into the body' }), detail: z.string() }),
);
const state = z.string();

/** The closed list of problems, explained: the page `/problems/<slug>` and the OpenAPI document show these words. */
export const problemGuides: ProblemGuides = {
  malformed: {
    meaning: 'The body is no JSON that we read, or the path, a query parameter or a header has a value that it can not have.',
    advice: 'Correct the request; sending it again unchanged gives the same answer.',
  },
  validation: {
    meaning: 'The body is well-formed and breaks at least one rule. Nothing was changed.',
    advice: 'Look at `errors`: each entry points to a member of the body and says what is wrong with it.',
    members: { errors: violations },
  },
  unauthenticated: {
    meaning: 'There is no access token, or it is expired, revoked or not ours.',
    advice: 'Refresh the tokens or sign in again, then repeat the request.',
  },
  'invalid-credentials': {
    meaning: 'The username or the password is wrong. The answer is the same for users that do not exist.',
    advice: 'Ask the person to type both again.',
  },
  'invalid-refresh-token': {
    meaning: 'The refresh token is unknown, expired or used up, or its session has ended.',
    advice: 'Sign in again.',
  },
  forbidden: {
    meaning: 'The account has not the role that this needs.',
    advice: 'Use an account with that role.',
  },
  'not-found': {
    meaning: 'There is no such thing, or it belongs to somebody else.',
    advice: 'Check the address.',
  },
  'method-not-allowed': {
    meaning: 'The resource exists and does not know this method.',
    advice: 'Use one of the methods in the `Allow` header.',
  },
  'not-acceptable': {
    meaning: 'The answer does not exist in a format that the `Accept` header allows.',
    advice: 'Accept `application/json`.',
  },
  'too-large': {
    meaning: 'The body is larger than the server takes.',
    advice: 'Send less at once.',
  },
  'unsupported-type': {
    meaning: 'The body is not JSON in UTF-8.',
    advice: 'Send `Content-Type: application/json`.',
  },
  'precondition-required': {
    meaning: 'This change needs to know which version it was made from, so that nobody loses an edit.',
    advice: 'Send `If-Match` with the `ETag` of the version that you read.',
  },
  'version-mismatch': {
    meaning: 'Somebody changed it since you read it. Your change was not made.',
    advice: 'Read it again, apply the change to the new version, and send it with the new `ETag`.',
    members: { currentVersion: z.int() },
  },
  duplicate: {
    meaning: 'There is one with this name or number already.',
    advice: 'Choose another, or use the one that exists.',
  },
  'out-of-stock': {
    meaning: 'There are fewer pieces than were asked for. Nothing was taken: an order is placed whole or not at all.',
    advice: 'Look at `items`: every short line is there, with what is available. Order less, or without it.',
    members: {
      items: z.array(z.object({ productId: z.string(), requested: z.int(), available: z.int() })),
    },
  },
  'total-changed': {
    meaning: 'The order would cost something else than `expectedTotal`, because a price changed.',
    advice: 'Show the new total and ask again.',
    members: { total: z.object({ amount: z.int(), currency: z.string() }) },
  },
  'mixed-currencies': {
    meaning: 'The products have prices in different currencies.',
    advice: 'Place one order for each currency.',
  },
  'illegal-transition': {
    meaning: 'An order in this state can not become what was asked for.',
    advice: '`allowed` tells what the order can become from here.',
    members: { from: state, to: state, allowed: z.array(state) },
  },
  'idempotency-in-flight': {
    meaning: 'The first request with this `Idempotency-Key` is still running.',
    advice: 'Send the same request again after `Retry-After`.',
  },
  'idempotency-key-reused': {
    meaning: 'This `Idempotency-Key` was used for a request with another body. Nothing was done.',
    advice: 'Use a new key for a new request, and the same body for a repeated one.',
  },
  'last-admin': {
    meaning: 'The change would leave no admin.',
    advice: 'Make somebody else an admin first.',
  },
  throttled: {
    meaning: 'There were too many requests in this time.',
    advice: 'Wait as many seconds as `Retry-After` says.',
  },
  overloaded: {
    meaning: 'The server has more to do than it can do in time, and refused this at once.',
    advice: 'Send it again after `Retry-After`, with growing pauses.',
  },
  unavailable: {
    meaning: 'A store is down, or the server starts or stops. A change may have been made or not.',
    advice: 'Send it again after `Retry-After`; with the same `Idempotency-Key` an order is placed once.',
  },
  internal: {
    meaning: 'A fault of ours. It was logged under the id in `instance`.',
    advice: 'Tell us the id.',
  },
};

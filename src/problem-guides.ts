import { z } from 'zod';
import type { ProblemGuides } from './shared/problem-guide.ts';

const again = 'Send the same request again after the seconds of Retry-After, with a growing pause between tries.';
const money = z.object({ amount: z.int(), currency: z.string() });

/** What the pages under `/problems` and the OpenAPI document say about each type of problem. */
export const problemGuides: ProblemGuides = {
  malformed: {
    meaning: 'The request could not be read: its path, its query, a header or the form of its body is wrong.',
    advice: 'Correct the part that `detail` names. The same request will never succeed.',
  },
  validation: {
    meaning: 'The body was understood but breaks a rule. Unknown fields count as broken rules too.',
    advice: 'Correct every entry of `errors`: `pointer` is a JSON pointer (RFC 6901) into the body that was sent.',
    members: {
      errors: z
        .array(z.object({ pointer: z.string(), detail: z.string() }))
        .meta({ description: 'Every broken rule (at most 50): pointer into the body and what is wrong there' }),
    },
    example: { errors: [{ pointer: '/items/0/quantity', detail: 'has to be a whole number' }] },
  },
  unauthenticated: {
    meaning: 'There is no access token, or it is not valid: wrong, expired, or its session has ended.',
    advice: 'Refresh the tokens, or sign in again when that is refused too.',
  },
  'invalid-credentials': {
    meaning: 'The username or the password is wrong; which of them is not told.',
    advice: 'Ask for both again.',
  },
  'invalid-refresh-token': {
    meaning: 'The refresh token is not valid: wrong, expired, already used or of a session that has ended.',
    advice: 'Sign in again. If nobody but this client had the token, treat the session as stolen.',
  },
  forbidden: {
    meaning: 'The account is known but does not have the role that this needs.',
    advice: 'Use another account, or ask an admin for the role and sign in again.',
  },
  'not-found': {
    meaning: 'It does not exist, or it belongs to somebody else: the two look the same on purpose.',
    advice: 'Check the path. Paths are case-sensitive and have no slash at the end.',
  },
  'method-not-allowed': {
    meaning: 'The path exists but does not know this method.',
    advice: 'Use one of the methods that the Allow header names.',
  },
  'not-acceptable': {
    meaning: 'The answer does not exist in a format that the Accept header names.',
    advice: 'Accept application/json.',
  },
  'too-large': {
    meaning: 'The body is larger than the 256 KiB that this shop reads.',
    advice: 'Send less at once.',
  },
  'unsupported-type': {
    meaning: 'The body is not in a format that this call takes.',
    advice: 'Send JSON in UTF-8 with Content-Type: application/json and without a content coding.',
  },
  'precondition-required': {
    meaning: 'This change needs an If-Match header, so that it never overwrites what somebody else has changed meanwhile.',
    advice: 'Read the resource and send its ETag as If-Match.',
  },
  'version-mismatch': {
    meaning: 'The resource has changed since the version that If-Match names.',
    advice: 'Read it again, decide whether the change still makes sense, and send it with the new ETag.',
    members: { currentVersion: z.int().meta({ description: 'The version that it has now' }) },
    example: { currentVersion: 8 },
  },
  duplicate: {
    meaning: 'Something with this unique name exists already.',
    advice: 'Choose another name, or use what exists.',
  },
  'out-of-stock': {
    meaning: 'There are fewer pieces than the request needs. Nothing was taken.',
    advice: 'Lower the quantities to what is available, or leave the products out.',
    members: {
      items: z
        .array(z.object({ productId: z.string(), requested: z.int(), available: z.int() }))
        .optional()
        .meta({ description: 'Every product that falls short: how many were wanted and how many there are' }),
    },
    example: { items: [{ productId: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', requested: 3, available: 1 }] },
  },
  'total-changed': {
    meaning: 'The prices add up to another total than `expectedTotal`. Nothing was ordered.',
    advice: 'Show the new total and order again if it is accepted.',
    members: { total: money.meta({ description: 'What it costs now, in minor units' }) },
    example: { total: { amount: 2598, currency: 'GBP' } },
  },
  'mixed-currencies': {
    meaning: 'The products of one order have prices in different currencies.',
    advice: 'Place one order for each currency.',
    members: { currencies: z.array(z.string()).meta({ description: 'The currencies that the products are priced in' }) },
    example: { currencies: ['EUR', 'GBP'] },
  },
  'illegal-transition': {
    meaning: 'The order is in a state from which it can not go to the wanted one.',
    advice: 'Read the order; `allowed` lists where it can go from here.',
    members: {
      from: z.string().meta({ description: 'The state that the order has' }),
      to: z.string().meta({ description: 'The state that was wanted' }),
      allowed: z.array(z.string()).meta({ description: 'The states that it can go to' }),
    },
    example: { from: 'delivered', to: 'cancelled', allowed: [] },
  },
  'idempotency-in-flight': {
    meaning: 'A request with the same Idempotency-Key is still running.',
    advice: 'Send the same request again after the seconds of Retry-After.',
  },
  'idempotency-key-reused': {
    meaning: 'The Idempotency-Key belongs to an earlier request with another body.',
    advice: 'Use a new key for a new request, and the same body for a repeat.',
  },
  'last-admin': {
    meaning: 'This would leave the shop without an admin.',
    advice: 'Make somebody else an admin first.',
  },
  throttled: {
    meaning: 'A quota is used up. RateLimit and RateLimit-Policy tell which one.',
    advice: 'Wait for the seconds of Retry-After.',
  },
  overloaded: {
    meaning: 'The shop has more work than it can do and turned this request away before it did anything.',
    advice: again,
  },
  unavailable: {
    meaning:
      'The process is starting or draining, or something that it depends on is down. The request may or may not have had its effect.',
    advice: `${again} Use an Idempotency-Key where the call takes one: it makes repeats safe.`,
  },
  internal: {
    meaning: 'A fault of ours. It was logged under the request id.',
    advice: 'Tell us the request id, which is `instance` and the X-Request-Id header.',
  },
};

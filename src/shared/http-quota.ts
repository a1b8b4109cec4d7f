import type { Request, Response } from 'express';
import { ipKeyGenerator, rateLimit, type Store } from 'express-rate-limit';
import { Failure } from './failure.ts';
import { stateOf } from './http-state.ts';

export interface QuotaRule {
  readonly limit: number;
  readonly windowSeconds: number;
  /** whose requests are counted together: those of an address (IPv6: of a /56), or those of a user wherever he is */
  readonly per: 'address' | 'user';
  /** counted over all processes before the request goes on; else a moment later */
  readonly exact?: boolean;
}

export type QuotaRules = Readonly<Record<string, QuotaRule>>;

/** Makes the counters of one quota; without it each process counts for itself. */
export type CounterStore = (quota: string, rule: QuotaRule) => Store;

/** Counts a request and sets `RateLimit` and `RateLimit-Policy`. @throws throttled (429) with `Retry-After` */
export type CountRequest = (request: Request, response: Response) => Promise<void>;

const ipv6Prefix = 56;

/** One counter per quota. */
export function createQuotas(rules: QuotaRules, counters?: CounterStore): ReadonlyMap<string, CountRequest> {
  return new Map(Object.entries(rules).map(([name, rule]) => [name, counterOf(name, rule, counters)]));
}

function counterOf(name: string, rule: QuotaRule, counters: CounterStore | undefined): CountRequest {
  const limiter = rateLimit({
    windowMs: rule.windowSeconds * 1000,
    limit: rule.limit,
    identifier: name,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (_request, response) => keyOf(rule, response),
    // express-rate-limit has set Retry-After by then
    handler: (_request, _response, next) =>
      next(new Failure('throttled', { detail: 'Too many requests: wait as long as Retry-After says.' })),
    // its checks look at the first request only, and complain on the console about headers that any client can send
    validate: false,
    ...(counters !== undefined && { store: counters(name, rule) }),
  });
  return (request, response) =>
    new Promise((resolve, reject) => {
      void limiter(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
    });
}

function keyOf({ per }: QuotaRule, response: Response): string {
  const { userId, address } = stateOf(response);
  return per === 'user' && userId !== undefined ? `user ${userId}` : `address ${ipKeyGenerator(address, ipv6Prefix)}`;
}

import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { ipKeyGenerator, MemoryStore, type Options, rateLimit, type Store } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import { Failure } from './failure.ts';
import { stateOf } from './http-state.ts';

export interface QuotaRule {
  readonly limit: number;
  readonly windowSeconds: number;
  /** whose requests are counted together: those of an address (IPv6: of a /56), or those of a user wherever he is */
  readonly per: 'address' | 'user';
  /** counted over all processes before the request goes on; else a moment later */
  readonly exact?: boolean;
  /** of requests so frequent and cheap that the library's own work on each would weigh more than theirs */
  readonly frequent?: boolean;
}

export type QuotaRules = Readonly<Record<string, QuotaRule>>;

/** Makes the counters of one quota; without it each process counts for itself. */
export type CounterStore = (quota: string, rule: QuotaRule) => Store;

/** Counts a request and sets `RateLimit` and `RateLimit-Policy`. @throws throttled (429) with `Retry-After` */
export type CountRequest = (request: Request, response: Response) => Promise<void>;

const ipv6Prefix = 56;

/** One counter per quota. */
export function createQuotas(rules: QuotaRules, counters?: CounterStore): ReadonlyMap<string, CountRequest> {
  return new Map(
    Object.entries(rules).map(([name, rule]) => [name, (rule.frequent ? frequentCounterOf : counterOf)(name, rule, counters)]),
  );
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
    handler: (_request, _response, next) => next(throttled()),
    // its checks look at the first request only, and complain on the console about headers that any client can send
    validate: false,
    ...(counters !== undefined && { store: counters(name, rule) }),
  });
  return (request, response) =>
    new Promise((resolve, reject) => {
      void limiter(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
    });
}

const rememberedKeys = 10_000;

/** Counts in the same stores and answers the same headers as the library, without what it does for the options that we do not use. */
function frequentCounterOf(name: string, rule: QuotaRule, counters: CounterStore | undefined): CountRequest {
  const { limit, windowSeconds } = rule;
  const store = counters?.(name, rule) ?? memoryStore(windowSeconds * 1000);
  const policies = new LRUCache<string, string>({ max: rememberedKeys });
  const policyOf = (key: string) => {
    const known = policies.get(key);
    if (known !== undefined) return known;
    const policy = `"${name}"; q=${limit}; w=${windowSeconds}; pk=:${partitionKey(key)}:`;
    policies.set(key, policy);
    return policy;
  };
  return async (_request, response) => {
    const key = keyOf(rule, response);
    const { totalHits, resetTime } = await store.increment(key);
    const leftSeconds = resetTime === undefined ? windowSeconds : Math.ceil((resetTime.getTime() - Date.now()) / 1000);
    const resetSeconds = Math.max(0, leftSeconds);
    response.setHeader('RateLimit', `"${name}"; r=${Math.max(limit - totalHits, 0)}; t=${resetSeconds}`);
    response.setHeader('RateLimit-Policy', policyOf(key));
    if (totalHits <= limit) return;
    response.setHeader('Retry-After', String(resetSeconds));
    throw throttled();
  };
}

function memoryStore(windowMs: number): Store {
  const store = new MemoryStore();
  // the library's own store reads no other option
  store.init({ windowMs } as Options);
  return store;
}

/** Names whose counter it is and does not tell who that is, as the library makes it. */
function partitionKey(key: string): string {
  return Buffer.from(createHash('sha256').update(key).digest('hex').slice(0, 12)).toString('base64');
}

function throttled(): Failure {
  return new Failure('throttled', { detail: 'Too many requests: wait as long as Retry-After says.' });
}

function keyOf({ per }: QuotaRule, response: Response): string {
  const { userId, address } = stateOf(response);
  return per === 'user' && userId !== undefined ? `user ${userId}` : `address ${ipKeyGenerator(address, ipv6Prefix)}`;
}

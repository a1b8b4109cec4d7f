import type { ClientRateLimitInfo, Store } from 'express-rate-limit';
import type { CounterStore } from './http-quota.ts';
import type { SharedCounters, Tally } from './shared-counters.ts';

/** Counts the quotas of the front for all processes together: exact ones at once, the others within 100 ms. */
export function createSharedQuotas(counters: SharedCounters): CounterStore {
  return (quota, { limit, windowSeconds, exact = false }): Store => {
    const windowMs = windowSeconds * 1000;
    const change = (key: string, by: number) => ({ key: `quota:${quota}:${key}`, by, windowMs, limit });
    return {
      localKeys: false,
      increment: async (key) => {
        if (!exact) return infoOf(counters.countSoon(change(key, 1)));
        const [tally] = await counters.count([change(key, 1)]);
        return infoOf(tally ?? { total: 1, leftMs: windowMs });
      },
      decrement: async (key) => {
        await counters.count([change(key, -1)]);
      },
      resetKey: (key) => counters.reset(`quota:${quota}:${key}`, windowMs),
    };
  };
}

function infoOf({ total, leftMs }: Tally): ClientRateLimitInfo {
  return { totalHits: total, resetTime: new Date(Date.now() + leftMs) };
}

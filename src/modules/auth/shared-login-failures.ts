import { setTimeout as pause } from 'node:timers/promises';
import type { Quota } from '../../shared/config.ts';
import type { Change, SharedCounters } from '../../shared/shared-counters.ts';
import { type LoginFailures, throttled } from './login-failures.ts';

/** A try that runs longer, or whose process has died, no longer holds the others back. */
const runningWindowMs = 30_000;
const betweenLooksMs = 50;
const longestWaitMs = 2000;

/**
 * For all processes together. Tries that run at once, wherever, count as failures until they end, the next ones wait for them
 * a little: the quota is exact.
 */
export function createSharedLoginFailures({ limit, windowSeconds }: Quota, counters: SharedCounters): LoginFailures {
  const failed = (account: string, by: number): Change => {
    return { key: `login-failures:${account}`, by, windowMs: windowSeconds * 1000, limit };
  };
  const running = (account: string, by: number): Change => {
    return { key: `logins-running:${account}`, by, windowMs: runningWindowMs };
  };

  return {
    admit: async (account) => {
      const giveUpAt = performance.now() + longestWaitMs;
      for (;;) {
        const [failures, runs] = await counters.count([failed(account, 0), running(account, 1)]);
        if (failures === undefined || runs === undefined) throw new Error('A counter did not answer.');
        if (failures.total < limit && failures.total + runs.total <= limit) {
          return {
            end: async (outcome) => {
              await counters.count([failed(account, outcome === 'wrong' ? 1 : 0), running(account, -1)]);
            },
          };
        }
        await counters.count([running(account, -1)]);
        if (failures.total >= limit) throw throttled(failures.leftMs);
        if (performance.now() > giveUpAt) throw throttled(0);
        await pause(betweenLooksMs * (0.5 + Math.random()));
      }
    },
    clear: (account) => counters.reset(`login-failures:${account}`, windowSeconds * 1000),
  };
}

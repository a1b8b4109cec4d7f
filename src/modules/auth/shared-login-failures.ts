import { setTimeout as pause } from 'node:timers/promises';
import type { Quota } from '../../shared/config.ts';
import type { Change, SharedCounters } from '../../shared/shared-counters.ts';
import { type LoginFailures, pausesWindowMs, throttled, windowMsAfter } from './login-failures.ts';

/** A try that runs longer, or whose process has died, no longer holds the others back. */
const runningWindowMs = 30_000;
const betweenLooksMs = 50;
const longestWaitMs = 2000;

/**
 * For all processes together. Tries that run at once, wherever, count as failures until they end, the next ones wait for them
 * a little: the quota is exact.
 */
export function createSharedLoginFailures({ limit, windowSeconds }: Quota, counters: SharedCounters): LoginFailures {
  const failed = (account: string, by: number, windowMs: number): Change => {
    return { key: `login-failures:${account}`, by, windowMs, limit };
  };
  const paused = (account: string, by: number): Change => {
    return { key: `login-pauses:${account}`, by, windowMs: pausesWindowMs };
  };
  const running = (account: string, by: number): Change => {
    return { key: `logins-running:${account}`, by, windowMs: runningWindowMs };
  };

  return {
    admit: async (account) => {
      const giveUpAt = performance.now() + longestWaitMs;
      const [pauses] = await counters.count([paused(account, 0)]);
      const windowMs = windowMsAfter(pauses?.total ?? 0, windowSeconds);
      for (;;) {
        const [failures, runs] = await counters.count([failed(account, 0, windowMs), running(account, 1)]);
        if (failures === undefined || runs === undefined) throw new Error('A counter did not answer.');
        if (failures.total < limit && failures.total + runs.total <= limit) {
          return {
            end: async (outcome) => {
              const wrong = outcome === 'wrong' ? 1 : 0;
              const [now] = await counters.count([failed(account, wrong, windowMs), running(account, -1)]);
              if (wrong === 1 && now?.total === limit) await counters.count([paused(account, 1)]);
            },
          };
        }
        await counters.count([running(account, -1)]);
        if (failures.total >= limit) throw throttled(failures.leftMs);
        if (performance.now() > giveUpAt) throw throttled(0);
        await pause(betweenLooksMs * (0.5 + Math.random()));
      }
    },
    clear: async (account) => {
      await counters.reset(`login-pauses:${account}`, pausesWindowMs);
      await counters.reset(`login-failures:${account}`, windowSeconds * 1000);
    },
  };
}

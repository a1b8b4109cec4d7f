import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Failure } from './failure.ts';
import { isStoreDown } from './store-errors.ts';

const firstPauseMs = 250;
const longestPauseMs = 2000;

export interface Patience {
  /**
   * Does the work of a start as often as it takes: a process that starts during an outage waits for its end, since one that gives
   * up is started again, and finds the same. Says so at every attempt.
   * @throws whatever is no outage, and the last outage when the wait is ended
   */
  untilAvailable<T>(work: () => Promise<T>): Promise<T>;
  /** nobody waits any longer */
  end(): void;
}

export function createPatience(log: Logger): Patience {
  const ending = new AbortController();
  const { signal } = ending;
  return {
    end: () => ending.abort(),
    async untilAvailable(work) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await work();
        } catch (error) {
          if (!isOutage(error) || signal.aborted) throw error;
          log.warn({ err: error }, 'waiting for a store to start');
          const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10));
          await pause(pauseMs, undefined, { signal }).catch(() => {}); // the next attempt is the last
        }
      }
    },
  };
}

function isOutage(error: unknown): boolean {
  return (error instanceof Failure && error.code === 'unavailable') || isStoreDown(error);
}

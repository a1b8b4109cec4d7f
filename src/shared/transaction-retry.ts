import { setTimeout as sleep } from 'node:timers/promises';
import { timeLeftMs } from './deadline.ts';
import { isConflict } from './store-errors.ts';

const maxRetries = 3;
const firstPauseMs = 10;

/**
 * Runs a whole transaction again when it lost a race, from BEGIN on: a deadlock has already undone all of it. Not for a caller
 * whose time is over.
 */
export async function withConflictRetries<T>(attempt: () => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (retries === maxRetries || !isConflict(error) || timeLeftMs() === 0) throw error;
    }
    await sleep(firstPauseMs * 2 ** retries * (0.5 + Math.random()));
  }
}

import { setTimeout as pause } from 'node:timers/promises';

const patienceMs = 15_000;
const betweenMs = 20;

/** Tries an expectation again until it holds; what it threw last is thrown when patience ends. */
export async function eventually<T>(expectation: () => Promise<T>, patience = patienceMs): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(betweenMs);
    }
  }
}

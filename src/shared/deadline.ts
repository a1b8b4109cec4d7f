import { AsyncLocalStorage } from 'node:async_hooks';
import { unavailable } from './failure.ts';

/** By when the work under way has to be done, for everything that it calls (docs/decisions/0022). */
interface Deadline {
  /** monotonic milliseconds; a timer can fire a part of one early, so this moves to when the caller was answered */
  at: number;
  /** made for the first who waits for its signal: few requests need one */
  abort?: AbortController;
}

const current = new AsyncLocalStorage<Deadline | undefined>();

/**
 * Runs the work with `limitMs` from now, or with less when the caller has less left. Rejects when the time is over, and
 * leaves the work to itself: it can be half done, and finishes or fails on its own.
 * @throws unavailable (503) when the time is over, else what the work throws
 */
export function withDeadline<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const leftMs = Math.min(limitMs, timeLeftMs());
  const deadline: Deadline = { at: performance.now() + leftMs };
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      const reason = tooLate();
      deadline.at = Math.min(deadline.at, performance.now());
      deadline.abort?.abort(reason);
      reject(reason);
    }, leftMs);
    current
      .run(deadline, work)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

/** How long the work under way may still take; Infinity where nobody waits for it. */
export function timeLeftMs(): number {
  const deadline = current.getStore();
  return deadline === undefined ? Number.POSITIVE_INFINITY : Math.max(0, deadline.at - performance.now());
}

/** Called before each step that costs something: nothing is begun for a caller who has been answered. @throws unavailable (503) */
export function refuseWhenLate(): void {
  if (timeLeftMs() === 0) throw tooLate();
}

/** What the work comes to, unless the time is over first. @throws unavailable (503) then; the work goes on for nobody */
export async function untilLate<T>(work: Promise<T>): Promise<T> {
  const deadline = current.getStore();
  if (deadline === undefined) return work;
  deadline.abort ??= new AbortController();
  const { signal } = deadline.abort;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const refuse = () => reject(signal.reason);
  signal.addEventListener('abort', refuse);
  try {
    return await Promise.race([work, late]);
  } finally {
    signal.removeEventListener('abort', refuse);
  }
}

/** Runs what has to come to its end whoever began it: shared by several callers, or the cleaning up after one of them. */
export function withoutDeadline<T>(work: () => T): T {
  return current.run(undefined, work);
}

function tooLate(): Error {
  return unavailable('It took too long, and nobody knows whether it happened. Try again.');
}

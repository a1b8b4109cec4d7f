import { timeLeftMs } from './deadline.ts';

interface Waiting {
  readonly enter: () => void;
  readonly refuse: (reason: Error) => void;
}

/**
 * Lets `permits` holders in at a time, the others in the order of their arrival. With one permit it is a mutex.
 * Nobody waits longer than his timeout, or than his request may take: a holder that waits for itself must fail, not hang.
 */
export class FifoGate {
  readonly #queue = new Set<Waiting>();
  readonly #timedOut: (waitedMs: number) => Error;
  #free: number;
  #closedBy: Error | undefined;

  constructor(permits: number, timedOut: (waitedMs: number) => Error) {
    this.#free = permits;
    this.#timedOut = timedOut;
  }

  /** Resolves to the function that gives the place back; calling that twice is harmless. */
  async acquire(timeoutMs: number): Promise<() => void> {
    if (this.#closedBy) throw this.#closedBy;
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(Math.min(timeoutMs, timeLeftMs()));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#passOn();
    };
  }

  /** Refuses everybody who waits and everybody who comes; those inside are left to finish. */
  close(reason: Error): void {
    this.#closedBy = reason;
    for (const waiting of this.#queue) waiting.refuse(reason);
    this.#queue.clear();
  }

  /** After `close`: waits for somebody inside to leave, if there's no place. */
  async drained(timeoutMs: number): Promise<void> {
    if (this.#free === 0) await this.#wait(timeoutMs).catch(() => undefined);
  }

  #wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        enter: () => {
          clearTimeout(timer);
          resolve();
        },
        refuse: (reason) => {
          clearTimeout(timer);
          reject(reason);
        },
      };
      const timer = setTimeout(() => {
        this.#queue.delete(waiting);
        reject(this.#timedOut(timeoutMs));
      }, timeoutMs);
      this.#queue.add(waiting);
    });
  }

  #passOn(): void {
    const [next] = this.#queue;
    if (!next) {
      this.#free += 1;
      return;
    }
    this.#queue.delete(next);
    next.enter();
  }
}

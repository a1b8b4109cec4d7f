export interface CircuitBreaker {
  /** Runs the work, or refuses at once while the breaker is open. @throws what the work throws, or the refusal */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export interface CircuitBreakerOptions {
  /** opens after this many failures in a row */
  readonly failures: number;
  /** then refuses for this long, and lets one call through to see */
  readonly pauseMs: number;
  readonly refusal: () => Error;
  /** whether what was thrown says that the other side is down */
  readonly isFailure: (error: unknown) => boolean;
  readonly onOpen?: () => void;
  /** monotonic milliseconds */
  readonly now?: () => number;
}

/** Spares callers the wait for a dependency that is down, and the dependency the calls (Nygard, Release It!, chapter 5). */
export function createCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { failures, pauseMs, refusal, isFailure, onOpen, now = () => performance.now() } = options;
  let inARow = 0;
  let openUntil: number | undefined;
  let probing = false;

  const succeed = () => {
    inARow = 0;
    openUntil = undefined;
  };
  const fail = () => {
    inARow += 1;
    if (inARow < failures && openUntil === undefined) return;
    openUntil = now() + pauseMs;
    onOpen?.();
  };
  /** what began before the breaker opened says nothing about now */
  const learn = (probe: boolean, down: boolean) => {
    if (probe) probing = false;
    else if (openUntil !== undefined) return;
    if (down) fail();
    else succeed();
  };

  return {
    run: async (work) => {
      const probe = openUntil !== undefined;
      if (openUntil !== undefined && (probing || now() < openUntil)) throw refusal();
      probing = probe;
      try {
        const result = await work();
        learn(probe, false);
        return result;
      } catch (error) {
        learn(probe, isFailure(error));
        throw error;
      }
    },
  };
}

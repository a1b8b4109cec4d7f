import type { Logger } from 'pino';

/** A piece of work that goes on beside the requests. */
export interface BackgroundTask {
  readonly name: string;
  /** pause between two runs when there was nothing to do */
  readonly everyMs: number;
  /** runs in every process, not only where the worker role is on */
  readonly everywhere?: boolean;
  /** One run. True when there is more to do at once. Idempotent: a run that dies half way is run again. */
  readonly run: (signal: AbortSignal) => Promise<boolean>;
}

export interface BackgroundRunner {
  /** ends the pause of the named task */
  wake(name: string): void;
  /** no new run; resolves when the running ones have ended */
  stop(): Promise<void>;
}

const longestPauseMs = 30_000;

/** Runs each task in a loop of its own. A task that throws is logged and tried again after a pause that doubles up to 30 s. */
export function runInBackground(tasks: readonly BackgroundTask[], log: Logger): BackgroundRunner {
  const stopping = new AbortController();
  const wakers = new Map<string, () => void>();
  const loops = tasks.map((task) => loop({ task, log, signal: stopping.signal, wakers }));
  return {
    wake: (name) => wakers.get(name)?.(),
    stop: async () => {
      stopping.abort();
      for (const wake of wakers.values()) wake();
      await Promise.all(loops);
    },
  };
}

async function loop({
  task,
  log,
  signal,
  wakers,
}: {
  task: BackgroundTask;
  log: Logger;
  signal: AbortSignal;
  wakers: Map<string, () => void>;
}) {
  let failures = 0;
  let woken = false;
  let endPause: (() => void) | undefined;
  wakers.set(task.name, () => {
    woken = true;
    endPause?.();
  });
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  while (!signal.aborted) {
    woken = false;
    try {
      const more = await task.run(signal);
      failures = 0;
      if (more || woken) await new Promise(setImmediate);
      else await pause(task.everyMs);
    } catch (error) {
      failures += 1;
      log.error(
        { task: task.name, failures, error: error instanceof Error ? error.message : String(error) },
        'background task failed',
      );
      if (!signal.aborted) await pause(Math.min(longestPauseMs, 100 * 2 ** failures));
    }
  }
}

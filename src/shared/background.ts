import type { Logger } from 'pino';

/** A piece of work that goes on beside the requests. */
export interface BackgroundTask {
  readonly name: string;
  /** pause between two runs when there was nothing to do */
  readonly everyMs: number;
  /** runs that find nothing to do double the pause up to this; absent: it stays as it is */
  readonly longestPauseMs?: number;
  /** how far the pause after failures grows; absent: 30 s */
  readonly longestBackoffMs?: number;
  /** runs in every process, not only where the worker role is on */
  readonly everywhere?: boolean;
  /** One run. True when there is more to do at once. Idempotent: a run that dies half way is run again. */
  readonly run: (signal: AbortSignal) => Promise<boolean>;
}

export interface BackgroundRunner {
  /** ends the pause of the named task, unless it is one after a failure */
  wake(name: string): void;
  /** no new run; resolves when the running ones have ended */
  stop(): Promise<void>;
}

const longestBackoffMs = 30_000;

/** Runs each task in a loop of its own. A task that throws is logged and tried again after a pause that doubles. */
export function runInBackground(tasks: readonly BackgroundTask[], log: Logger): BackgroundRunner {
  const stopping = new AbortController();
  const wakers = new Map<string, () => void>();
  const loops = tasks.map((task) => loop({ task, log, signal: stopping.signal, wakers }));
  return {
    wake: (name) => wakers.get(name)?.(),
    stop: async () => {
      stopping.abort();
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
  let idleRuns = 0;
  let woken = false;
  let endPause = () => {};
  let wake = () => {};
  wakers.set(task.name, () => {
    woken = true;
    wake();
  });
  signal.addEventListener('abort', () => endPause());
  const pause = async (ms: number, { mayBeWoken }: { mayBeWoken: boolean }) => {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
      if (mayBeWoken) wake = endPause;
    });
    wake = () => {};
  };
  while (!signal.aborted) {
    woken = false;
    try {
      const more = await task.run(signal);
      failures = 0;
      idleRuns = more || woken ? 0 : idleRuns + 1;
      if (idleRuns === 0) await new Promise(setImmediate);
      else if (!signal.aborted) await pause(pauseOf(task, idleRuns), { mayBeWoken: true });
    } catch (error) {
      failures += 1;
      log.error(
        { task: task.name, failures, error: error instanceof Error ? error.message : String(error) },
        'background task failed',
      );
      const backoffMs = Math.min(task.longestBackoffMs ?? longestBackoffMs, 100 * 2 ** failures);
      if (!signal.aborted) await pause(backoffMs, { mayBeWoken: false });
    }
  }
}

function pauseOf({ everyMs, longestPauseMs = everyMs }: BackgroundTask, idleRuns: number): number {
  return Math.min(longestPauseMs, everyMs * 2 ** Math.min(idleRuns - 1, 20));
}

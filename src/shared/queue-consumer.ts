import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BackgroundTask } from './background.ts';
import { isOutage } from './event-queue.ts';

export interface ReceivedMessage {
  readonly id: string;
  /** names this delivery of the message */
  readonly receipt: string;
  readonly body: string;
  /** how often it was received so far, this time included */
  readonly receives: number;
  /** RFC 3339 UTC */
  readonly sentAt: string;
}

/** A queue whose messages are held for a while by who received them, and come back unless they are removed. */
export interface HeldQueue {
  /** Up to 10 messages; waits up to `waitSeconds` for the first. An aborted wait answers none. @throws unavailable */
  receive(request: {
    readonly limit: number;
    readonly waitSeconds: number;
    readonly holdSeconds: number;
    readonly signal: AbortSignal;
  }): Promise<readonly ReceivedMessage[]>;
  /** Holds a message for so long from now; 0 gives it back at once. @throws unavailable */
  hold(receipt: string, seconds: number): Promise<void>;
  /** @throws unavailable */
  remove(receipt: string): Promise<void>;
}

export interface Consumer {
  readonly task: BackgroundTask;
  /** Call it when the task has stopped: waits a moment for what is being handled, then gives the rest back to the queue. */
  close(): Promise<void>;
}

const defaults = {
  /** messages handled at the same time; as many connections to the database are not needed, because handlers share transactions */
  concurrency: 30,
  waitSeconds: 20,
  holdSeconds: 30,
  /** a handler that takes longer is left alone and its message comes again */
  longestHandlingMs: 300_000,
  /** how long `close` waits; the process ends soon after */
  graceMs: 2000,
};
const pauseMs = 1000;
const longestBackoffMs = 5000;
const outageBackoff = { firstMs: 100, longestMs: 2000 };
const longestRetrySeconds = 60;

/**
 * Receives messages by long polls, handles them concurrently within a bound and removes those whose handler came to its end.
 * While a handler works its message stays held. While a store is down a message is kept and tried again here, so that an outage
 * does not use up its receives; any other failure gives it back with a growing pause, until the queue's redrive policy puts
 * it aside. A message may come twice: `handle` has to be idempotent.
 */
export function createConsumer({
  name,
  queue,
  handle,
  log,
  onReceived = () => {},
  settings,
}: {
  readonly name: string;
  readonly queue: HeldQueue;
  readonly handle: (body: string) => Promise<void>;
  readonly log: Logger;
  /** told how long each message was on its way */
  readonly onReceived?: (ageMs: number) => void;
  readonly settings?: Partial<typeof defaults>;
}): Consumer {
  const { concurrency, waitSeconds, holdSeconds, longestHandlingMs, graceMs } = { ...defaults, ...settings };
  const working = new Map<Promise<void>, AbortController>();
  let closing = false;

  const run = async (signal: AbortSignal): Promise<boolean> => {
    const startedAt = performance.now();
    while (working.size >= concurrency && !signal.aborted) await unlessAborted(Promise.race(working.keys()), signal);
    const messages = await queue.receive({ limit: concurrency - working.size, waitSeconds, holdSeconds, signal });
    for (const message of messages) {
      onReceived(Math.max(0, Date.now() - Date.parse(message.sentAt)));
      const limit = new AbortController();
      const work = process(message, limit).finally(() => working.delete(work));
      working.set(work, limit);
    }
    // an empty answer that came at once is no long poll: asking again without a pause would be a busy loop
    return messages.length > 0 || performance.now() - startedAt > pauseMs;
  };

  const process = async (message: ReceivedMessage, limit: AbortController): Promise<void> => {
    const extend = () => void attempt('extend', message, () => queue.hold(message.receipt, holdSeconds));
    const holding = setInterval(extend, holdSeconds * 500);
    const deadline = setTimeout(() => limit.abort(), longestHandlingMs);
    const outcome = await unlessAborted(tryToHandle(message, limit.signal), limit.signal);
    clearInterval(holding);
    clearTimeout(deadline);
    if (outcome === 'done') return attempt('remove', message, () => queue.remove(message.receipt));
    const error = outcome?.error ?? 'not handled in time';
    if (!closing) log.warn({ consumer: name, message: message.id, receives: message.receives, error }, 'a message failed');
    const retrySeconds = closing ? 0 : Math.min(longestRetrySeconds, 2 ** (message.receives - 1) - 1);
    return attempt('give back', message, () => queue.hold(message.receipt, retrySeconds));
  };

  const tryToHandle = async ({ body }: ReceivedMessage, limit: AbortSignal) => {
    for (let backoffMs = outageBackoff.firstMs; ; backoffMs = Math.min(2 * backoffMs, outageBackoff.longestMs)) {
      try {
        await handle(body);
        return 'done' as const;
      } catch (error) {
        if (!isOutage(error)) return { error };
        await unlessAborted(pause(backoffMs), limit);
        if (limit.aborted) return undefined;
      }
    }
  };

  /** What fails here is put right by time: the message becomes visible again. */
  const attempt = async (what: string, message: ReceivedMessage, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warn({ consumer: name, message: message.id, error }, `could not ${what} a message`);
    }
  };

  return {
    task: { name, everyMs: pauseMs, longestBackoffMs, run },
    close: async () => {
      closing = true;
      const timer = setTimeout(() => {
        for (const limit of working.values()) limit.abort();
      }, graceMs);
      await Promise.all(working.keys());
      clearTimeout(timer);
    },
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const over = new AbortController();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { signal: over.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
  }
}

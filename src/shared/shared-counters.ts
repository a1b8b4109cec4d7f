import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { createMerge, type Entry, newEntry } from './counter-merge.ts';
import type { LiveProcesses } from './live-processes.ts';
import type { Redis } from './redis.ts';

/** Counters with a window, shared by all processes. Nothing throws: without Redis each process has its share of the limit. */
export interface SharedCounters {
  /** Adds to the counters and answers what they came to, in one round trip, exact over all processes. */
  count(changes: readonly Change[]): Promise<readonly Tally[]>;
  /** Adds and answers at once, by what was known; within 100 ms the others' counts are learned and this one is passed on. */
  countSoon(change: Change): Tally;
  /** begins a new window for all processes */
  reset(key: string, windowMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface Change {
  readonly key: string;
  readonly by: number;
  readonly windowMs: number;
  /** what the counter is compared with; absent: the processes do not share it out when they can't talk */
  readonly limit?: number;
}

export interface Tally {
  readonly total: number;
  /** until the window ends */
  readonly leftMs: number;
}

const flushMs = 100;
const beatEveryFlushes = 10;
const batchSize = 200;
const mostEntries = 100_000;

const resetScript = `
local at = redis.call('TIME')
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'window', at[1] .. '.' .. at[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

export interface SharedCountersOptions {
  readonly redis: Redis;
  readonly processes: LiveProcesses;
  readonly log: Logger;
}

export function createSharedCounters({ redis, processes, log }: SharedCountersOptions): SharedCounters {
  const entries = new LRUCache<string, Entry>({ max: mostEntries });
  const waiting = new Set<Entry>();
  const wait = (entry: Entry) => void (waiting.size < mostEntries && waiting.add(entry));
  const merge = createMerge(redis);
  let reachable = true;

  const become = (next: boolean) => {
    if (reachable !== next) log.warn({ shared: next }, next ? 'limits are shared again' : 'limits: each process has its share');
    reachable = next;
  };

  const add = ({ key, by, windowMs }: Change): Entry => {
    const found = entries.get(key);
    const now = performance.now();
    const entry = found !== undefined && found.endsAt > now ? found : newEntry(key, windowMs, now);
    if (entry !== found) entries.set(key, entry);
    entry.own = Math.max(0, entry.own + by);
    return entry;
  };

  /** `own`: what the entry had come to with this change, not with those that came while Redis was asked */
  const tallyOf = (entry: Entry, { limit }: Change, own = entry.own): Tally => {
    const known = own + entry.others;
    // above the limit exactly when this process has used up its share of it, or all together had used it up before
    const total = reachable || limit === undefined ? known : Math.max(known, limit - processes.shareOf(limit) + own);
    return { total, leftMs: Math.max(0, entry.endsAt - performance.now()) };
  };

  const flush = async () => {
    const all = [...waiting];
    waiting.clear();
    await mergeInBatches({ all, merge, wait });
    if (all.length > 0) become(true);
  };

  let round = beatEveryFlushes - 1;
  const stop = everyFlush(async () => {
    round += 1;
    try {
      if (waiting.size > 0) await flush();
      if (round % beatEveryFlushes === 0) {
        await processes.beat();
        become(true);
      }
    } catch {
      become(false);
    }
  });

  return {
    count: async (changes) => {
      const changed = changes.map((change) => {
        const entry = add(change);
        return { change, entry, own: entry.own };
      });
      try {
        const totals = await merge(changed.map(({ entry }) => entry));
        become(true);
        return changed.map(({ change, entry }, index) => ({ ...tallyOf(entry, change), total: totals[index] ?? 0 }));
      } catch {
        become(false);
        for (const { entry } of changed) wait(entry);
        return changed.map(({ change, entry, own }) => tallyOf(entry, change, own));
      }
    },
    countSoon: (change) => {
      const entry = add(change);
      wait(entry);
      return tallyOf(entry, change);
    },
    reset: async (key, windowMs) => {
      entries.delete(key);
      await redis.evaluate(resetScript, [`shop:count:${key}`], [windowMs]).catch(() => undefined);
    },
    close: async () => {
      await stop();
      await flush().catch(() => undefined);
      await processes.leave();
    },
  };
}

async function mergeInBatches({
  all,
  merge,
  wait,
}: {
  readonly all: readonly Entry[];
  readonly merge: ReturnType<typeof createMerge>;
  readonly wait: (entry: Entry) => void;
}): Promise<void> {
  for (let start = 0; start < all.length; start += batchSize) {
    const batch = all.slice(start, start + batchSize);
    const news = batch.filter(({ own, arrived }) => own !== arrived);
    try {
      await merge(batch);
    } catch (error) {
      for (const entry of all.slice(start)) if (entry.endsAt > performance.now()) wait(entry);
      throw error;
    }
    // once more in the next round, to learn what the others passed on in this one
    for (const entry of news) wait(entry);
  }
}

/** One run at a time. Answers how to end it: after that none is running. */
function everyFlush(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = undefined;
    });
  }, flushMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

import { randomUUID } from 'node:crypto';
import type { Redis } from './redis.ts';

/** How many processes share the work, as far as this one knows. */
export interface LiveProcesses {
  /** this process's part of a limit; the parts of all live processes add up to it */
  shareOf(limit: number): number;
  /** Says that this process lives, and learns how many do. @throws when Redis does not answer */
  beat(): Promise<void>;
  /** lets the others have this process's part; harmless when it fails */
  leave(): Promise<void>;
}

const key = 'shop:processes';
const deadAfterMs = 5000;
/** for a process that has never reached Redis */
const assumedProcesses = 4;

const beatScript = `
local at = redis.call('TIME')
local now = at[1] * 1000 + math.floor(at[2] / 1000)
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then redis.call('DEL', KEYS[1]) end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ${deadAfterMs})
redis.call('PEXPIRE', KEYS[1], ${deadAfterMs * 2})
return redis.call('ZRANGE', KEYS[1], 0, -1)`;

export function createLiveProcesses(redis: Redis): LiveProcesses {
  const self = randomUUID();
  let known: { readonly count: number; readonly place: number } | undefined;
  /** a Redis that restarted knows nobody at first: fewer count only when they have been fewer for a while */
  let fewerSince: number | undefined;

  return {
    shareOf: (limit) => {
      const { count, place } = known ?? { count: assumedProcesses, place: assumedProcesses };
      return Math.floor(limit / count) + (place < limit % count ? 1 : 0);
    },
    beat: async () => {
      const names = await redis.evaluate(beatScript, [key], [self]);
      if (!Array.isArray(names)) throw new Error('Redis answered something else.');
      // the score changes with each beat, the name does not
      const place = names.map(String).sort().indexOf(self);
      const seen = { count: names.length, place: Math.max(0, place) };
      if (known === undefined || known.count <= seen.count) fewerSince = undefined;
      else fewerSince ??= performance.now();
      if (fewerSince === undefined || performance.now() - fewerSince >= deadAfterMs) {
        known = seen;
        fewerSince = undefined;
      }
    },
    leave: async () => {
      await redis.evaluate("return redis.call('ZREM', KEYS[1], ARGV[1])", [key], [self]).catch(() => undefined);
    },
  };
}

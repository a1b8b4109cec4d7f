import { randomUUID } from 'node:crypto';
import type { Redis } from './redis.ts';

/** What this process knows of one window of one counter. */
export interface Entry {
  readonly key: string;
  readonly windowMs: number;
  /** this window's part of this process in the shared counter: sent whole each time, so that sending it again is harmless */
  readonly field: string;
  own: number;
  /** how much of `own` is known to have arrived */
  arrived: number;
  others: number;
  /** the shared window that `own` belongs to; empty: not known yet */
  window: string;
  endsAt: number;
}

/**
 * For each key a hash: the window's name and, by field, what each process counted (a G-Counter: Shapiro et al., A comprehensive
 * study of Convergent and Commutative Replicated Data Types, 2011). A counter that Redis lost comes back from the processes.
 */
const mergeScript = `
local at = redis.call('TIME')
local tallies = {}
for index, key in ipairs(KEYS) do
  local field, own, fresh, window, left = unpack(ARGV, index * 5 - 4, index * 5)
  if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
  local current = redis.call('HGET', key, 'window')
  if not current then
    current = window ~= '' and window or at[1] .. '.' .. at[2]
    redis.call('DEL', key)
    redis.call('HSET', key, 'window', current, field, own)
    redis.call('PEXPIRE', key, left)
  else
    redis.call('HSET', key, field, (window == '' or window == current) and own or fresh)
  end
  local total = 0
  local parts = redis.call('HGETALL', key)
  for part = 1, #parts, 2 do
    if parts[part] ~= 'window' then total = total + (tonumber(parts[part + 1]) or 0) end
  end
  local ttl = redis.call('PTTL', key)
  if ttl < 0 then redis.call('PEXPIRE', key, left); ttl = left end
  tallies[index] = current .. ' ' .. total .. ' ' .. ttl
end
return tallies`;

/** Answers what the counters were when each of the entries had been added. @throws when Redis does not answer */
export function createMerge(redis: Redis): (batch: readonly Entry[]) => Promise<readonly number[]> {
  return async (batch) => {
    const now = performance.now();
    const sent = batch.map((entry) => ({ ...entry }));
    const parts = sent.flatMap(({ field, own, arrived, window, endsAt }) => {
      return [field, own, Math.max(0, own - arrived), window, Math.max(1, Math.ceil(endsAt - now))];
    });
    const reply = await redis.evaluate(
      mergeScript,
      batch.map(({ key }) => `shop:count:${key}`),
      parts,
    );
    if (!Array.isArray(reply)) throw new Error('Redis answered something else.');
    return batch.map((entry, index) => learn(entry, sent[index] ?? entry, String(reply[index])));
  };
}

export function newEntry(key: string, windowMs: number, now: number): Entry {
  return { key, windowMs, field: randomUUID(), own: 0, arrived: 0, others: 0, window: '', endsAt: now + windowMs };
}

/** Takes over what Redis said about an entry as it was when it was sent. Answers the counter at that moment. */
function learn(entry: Entry, sent: Entry, reply: string): number {
  const [window = '', total = '0', left = '0'] = reply.split(' ');
  const pushed = sent.window === '' || sent.window === window ? sent.own : Math.max(0, sent.own - sent.arrived);
  if (entry.window !== window) {
    // the shared window is another than this process thought: what had arrived belongs to the one before
    if (entry.window !== '') {
      entry.own -= entry.arrived;
      entry.arrived = 0;
    }
    entry.window = window;
  }
  entry.arrived = pushed;
  entry.others = Number(total) - pushed;
  entry.endsAt = performance.now() + Number(left);
  return Number(total);
}

import type { Redis } from './redis.ts';

/** Copies of things, by id and version, that all processes share. Nothing throws: what can't be had is not there. */
export interface VersionedCopies {
  /** The newest copy, not trusted: whoever reads it checks it. `fill` keeps what was read from the source after this call. */
  look(id: string): Promise<Look>;
  /** From now on no process is answered a copy below this version, also one that is being filled in. Idempotent. */
  outdate(id: string, version: number): void;
  /** `changed` gets the id of whatever some process outdated; absent: some may have been missed, so it can be anything */
  onOutdated(changed: (id: string | undefined) => void): void;
  close(): void;
}

export interface Look {
  readonly found?: { readonly version: number; readonly text: string };
  readonly fill: (version: number, text: string) => void;
}

// Both clocks are the one of Redis. A fill that took longer is refused, so a marker has to outlive only those that did not.
const defaultLongestFillMs = 5000;
const markerMs = 60_000;
/** Bounds how long a copy is believed whose marker never arrived, because its writer was cut off and then died. */
const copyMs = 10_000;
const retryMs = 100;
const mostPending = 10_000;

const lookScript = `
local at = redis.call('TIME')
local found = redis.pcall('GET', KEYS[1])
if type(found) ~= 'string' then found = false end
return {tostring(at[1] * 1000 + math.floor(at[2] / 1000)), found}`;

// A value is <version>:<text>, a marker has no text.
const versionOfCurrent = `
local current = redis.pcall('GET', KEYS[1])
local version = type(current) == 'string' and tonumber(string.match(current, '^(%d+):')) or 0`;

const fillScript = `${versionOfCurrent}
local at = redis.call('TIME')
if at[1] * 1000 + at[2] / 1000 - tonumber(ARGV[3]) > tonumber(ARGV[5]) then return 0 end
if version > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'PX', ARGV[4])
return 1`;

const outdateScript = `${versionOfCurrent}
if version < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1] .. ':', 'PX', ${markerMs}) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`;

/** Keeps the copies in Redis under `name`, apart for each life of the server: one that restarts may remember old ones. */
export function createVersionedCopies(
  redis: Redis,
  name: string,
  { longestFillMs = defaultLongestFillMs } = {},
): VersionedCopies {
  const channel = `shop:${name}:outdated`;
  const pending = new Map<string, number>();
  let missedSome = false;
  const keyOf = (life: string, id: string) => `shop:${name}:${life}:${id}`;

  const send = async (id: string): Promise<void> => {
    const version = pending.get(id);
    const life = redis.life();
    if (version === undefined || life === undefined) return;
    await redis.evaluate(outdateScript, [keyOf(life, id)], [version, channel, id]);
    if (pending.get(id) === version && redis.life() === life) pending.delete(id);
  };
  const sendAll = async () => {
    for (const id of [...pending.keys()]) {
      try {
        await send(id);
      } catch {
        // it is sent again in the next round
        return;
      }
    }
  };
  const retrying = setInterval(() => void (pending.size > 0 && sendAll()), retryMs);
  retrying.unref();

  return {
    look: async (id) => {
      const life = redis.life();
      // An edit of this process that Redis has not heard of: only the source knows better.
      if (life === undefined || missedSome || pending.has(id)) return nothing;
      try {
        const [at, value] = pairOf(await redis.evaluate(lookScript, [keyOf(life, id)]));
        const fill: Look['fill'] = (version, text) => {
          if (redis.life() !== life || pending.has(id)) return;
          const lifetimeMs = Math.round(copyMs * (0.75 + Math.random() / 4));
          redis.evaluate(fillScript, [keyOf(life, id)], [version, text, at, lifetimeMs, longestFillMs]).catch(ignore);
        };
        const [, version, text] = /^(\d{1,15}):(.+)$/s.exec(value ?? '') ?? [];
        return version === undefined || text === undefined ? { fill } : { found: { version: Number(version), text }, fill };
      } catch {
        return nothing;
      }
    },
    outdate: (id, version) => {
      if (pending.size >= mostPending && !missedSome) {
        missedSome = true;
        // by then every copy that was there has ended
        setTimeout(() => {
          missedSome = false;
        }, copyMs).unref();
      }
      if (!missedSome || pending.has(id)) pending.set(id, Math.max(version, pending.get(id) ?? 0));
      send(id).catch(ignore);
    },
    onOutdated: (changed) => redis.listen(channel, { heard: changed, begun: () => changed(undefined) }),
    close: () => clearInterval(retrying),
  };
}

const nothing: Look = { fill: () => undefined };
const ignore = () => undefined;

function pairOf(reply: unknown): readonly [string, string | undefined] {
  if (!Array.isArray(reply) || typeof reply[0] !== 'string') throw new Error('Redis answered something else.');
  return [reply[0], typeof reply[1] === 'string' ? reply[1] : undefined];
}

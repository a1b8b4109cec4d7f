/** Everything random of a run comes from its seed, so that a run that failed can be run again. */
export interface Random {
  /** from 0 to below 1 */
  next(): number;
  /** a whole number from 0 to below `limit` */
  below(limit: number): number;
  /** @throws when there is nothing to pick from */
  pick<T>(items: readonly T[]): T;
  /** a generator of its own, whose numbers do not depend on how many this one gave */
  fork(name: string): Random;
}

/** mulberry32: 32 bits of state are plenty for choosing whom to kill. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('There is nothing to pick from.');
      return item;
    },
    fork: (name) => createRandom(seed ^ hashOf(name)),
  };
}

/** FNV-1a */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * Tells whether two multisets are equal without keeping them: each entry is hashed, added on one side and taken away on the
 * other, in one of many buckets. A bucket that does not come out at zero holds an entry that the sides do not share.
 * The memory does not grow with the sets. 64 bits of hash against accidents, not against an adversary.
 */
export interface MultisetBalance {
  add(entry: string, times: 1 | -1): void;
  bucketOf(entry: string): number;
  unbalanced(): readonly number[];
}

const bucketCount = 4096;

export function createMultisetBalance(): MultisetBalance {
  // They wrap around, so that what was added and taken away is zero in the end.
  const first = new Uint32Array(bucketCount);
  const second = new Uint32Array(bucketCount);
  const bucketOf = (entry: string) => hash(entry, 0x9747b28c) % bucketCount;
  return {
    bucketOf,
    add: (entry, times) => {
      const bucket = bucketOf(entry);
      first[bucket] = (first[bucket] ?? 0) + times * hash(entry, 0x811c9dc5);
      second[bucket] = (second[bucket] ?? 0) + times * hash(entry, 0x2545f491);
    },
    unbalanced: () => {
      const buckets: number[] = [];
      for (let bucket = 0; bucket < bucketCount; bucket++) if (first[bucket] !== 0 || second[bucket] !== 0) buckets.push(bucket);
      return buckets;
    },
  };
}

/** FNV-1a with the finalizer of MurmurHash3, 32 bits. */
function hash(text: string, seed: number): number {
  let state = seed;
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import { refuseWhenLate } from '../../shared/deadline.ts';
import { overloaded } from '../../shared/failure.ts';
import { hashBelowRequests } from './hash-priority.ts';

export interface PasswordHasher {
  /** For whoever has other work to do before a hash: that would be in vain. @throws overloaded (503) when too many hashes wait already */
  refuseWhenFull(): void;
  /** @throws overloaded (503) when too many hashes wait already */
  hash(password: string): Promise<string>;
  /** Does the same work when there is no hash to compare with, and then says no. @throws overloaded (503) */
  matches(password: string, hash: string | undefined): Promise<boolean>;
}

// Node's thread pool has four threads, which files, name look-ups and the embedded store share.
const mostAtOnce = 3;
const defaultAtOnce = Math.max(1, Math.min(availableParallelism() - 1, mostAtOnce));
const mostWaiting = 100;
const longestWaitMs = 4000;
const longestHashMs = 2000;

/**
 * bcrypt over base64(HMAC-SHA-384(pepper, NFC(password))): bcrypt looks at 72 bytes at most, these are always 64, so
 * passwords of any length and script count in full, and without the pepper the stored hashes can't be tried.
 */
export function createPasswordHasher({
  pepper,
  cost,
  atOnce = defaultAtOnce,
}: {
  pepper: string;
  cost: number;
  atOnce?: number;
}): PasswordHasher {
  const { inTurn, refuseWhenFull } = createLanes(atOnce);
  const input = (password: string) => createHmac('sha384', pepper).update(password.normalize('NFC')).digest('base64');
  const hash = (password: string) => inTurn(() => bcrypt.hash(input(password), cost));
  let dummy: Promise<string> | undefined;
  const dummyHash = () => {
    dummy ??= bcrypt.hash(input(randomBytes(32).toString('hex')), cost);
    return dummy;
  };
  // the threads of the pool are there when one has been used
  void dummyHash().then(hashBelowRequests);
  return {
    refuseWhenFull,
    hash,
    matches: async (password, known) => {
      const against = known ?? (await dummyHash());
      const same = await inTurn(() => bcrypt.compare(input(password), against));
      return same && known !== undefined;
    },
  };
}

/** Runs so many at once, the others in turn; refuses those that would wait too long. */
function createLanes(atOnce: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  let typicalMs = 0;
  const refuseWhenFull = () => {
    const expectedMs = ((waiting.length + 1) * typicalMs) / atOnce;
    if (running >= atOnce && (waiting.length >= mostWaiting || expectedMs > longestWaitMs)) {
      throw overloaded(Math.max(1, Math.ceil(expectedMs / 1000)));
    }
  };
  const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    refuseWhenFull();
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    let startedAt: number | undefined;
    try {
      refuseWhenLate();
      startedAt = performance.now();
      return await work();
    } finally {
      if (startedAt !== undefined) {
        // A machine that slept says nothing about hashes.
        const tookMs = Math.min(performance.now() - startedAt, longestHashMs);
        typicalMs = typicalMs === 0 ? tookMs : typicalMs + (tookMs - typicalMs) / 8;
      }
      // The place goes to the next in line, so nobody can overtake.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
  return { inTurn, refuseWhenFull };
}

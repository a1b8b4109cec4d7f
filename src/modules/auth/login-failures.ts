import { LRUCache } from 'lru-cache';
import type { Quota } from '../../shared/config.ts';
import { Failure } from '../../shared/failure.ts';

/** Counts wrong passwords for each account, known or not. */
export interface LoginFailures {
  /** Lets one try go on; the caller reports how it ended. @throws throttled (429) after too many failures */
  admit(account: string): Promise<LoginAttempt>;
  /** forgets the failures of an account */
  clear(account: string): Promise<void>;
}

export interface LoginAttempt {
  end(outcome: 'right' | 'wrong' | 'unknown'): Promise<void>;
}

interface Account {
  failures: number;
  endsAt: number;
  pauses: number;
  pausesEndAt: number;
  running: number;
  readonly waiting: (() => void)[];
}

const mostAccounts = 100_000;
/** how long an account's pauses are remembered, from the first one on */
export const pausesWindowMs = 24 * 60 * 60 * 1000;
const mostDoublings = 5;

/** Each pause within a day doubles the next window: with 10 failures in 10 minutes at first, an account gets fewer than 100 a day. */
export function windowMsAfter(pauses: number, windowSeconds: number): number {
  return windowSeconds * 1000 * 2 ** Math.min(pauses, mostDoublings);
}

/** In this process alone. Tries that run at once count as failures until they end, the next ones wait for them: the quota is exact. */
export function createLoginFailures({ limit, windowSeconds }: Quota, now: () => number): LoginFailures {
  const accounts = new LRUCache<string, Account>({ max: mostAccounts });
  const current = (name: string): Account => {
    const found = accounts.get(name);
    if (found !== undefined && (found.running > 0 || found.endsAt > now())) {
      if (found.endsAt <= now()) found.failures = 0;
      return found;
    }
    const remembered = found !== undefined && found.pausesEndAt > now() ? found : { pauses: 0, pausesEndAt: 0 };
    const { pauses, pausesEndAt } = remembered;
    const fresh = { failures: 0, endsAt: 0, pauses, pausesEndAt, running: 0, waiting: [] };
    accounts.set(name, fresh);
    return fresh;
  };
  const end = (account: Account, outcome: 'right' | 'wrong' | 'unknown') => {
    account.running -= 1;
    if (outcome === 'wrong') {
      if (account.failures === 0) account.endsAt = now() + windowMsAfter(account.pauses, windowSeconds);
      account.failures += 1;
      if (account.failures === limit) notePause(account, now());
    }
    for (const goOn of account.waiting.splice(0)) goOn();
  };
  return {
    admit: async (name) => {
      for (;;) {
        const account = current(name);
        if (account.failures >= limit) throw throttled(account.endsAt - now());
        if (account.failures + account.running < limit) {
          account.running += 1;
          return { end: async (outcome) => end(account, outcome) };
        }
        await new Promise<void>((resolve) => account.waiting.push(resolve));
      }
    },
    clear: async (name) => {
      const account = accounts.peek(name);
      if (account !== undefined) Object.assign(account, { failures: 0, pauses: 0 });
    },
  };
}

function notePause(account: Account, now: number): void {
  if (account.pausesEndAt <= now) Object.assign(account, { pauses: 0, pausesEndAt: now + pausesWindowMs });
  account.pauses += 1;
}

export function throttled(leftMs: number): Failure {
  const seconds = String(Math.max(1, Math.ceil(leftMs / 1000)));
  return new Failure('throttled', { detail: 'Too many wrong passwords for this account.', headers: { 'Retry-After': seconds } });
}

/** Where limits are switched off. */
export const unlimitedLoginFailures: LoginFailures = {
  admit: async () => ({ end: async () => undefined }),
  clear: async () => undefined,
};

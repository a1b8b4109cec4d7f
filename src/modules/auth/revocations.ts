import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import type { Principal } from '../../shared/principal.ts';
import type { RecentRevocations, Revocation } from './auth-api.ts';
import { keptMinutes, lateMinutes } from './limits.ts';
import type { RevocationStore } from './revocation-store.ts';

/** What this process knows of the access tokens that ended before their time. */
export interface KnownRevocations {
  isRevoked(principal: Pick<Principal, 'userId' | 'sessionId' | 'tokenVersion'>): boolean;
  /** Was the source asked lately enough to decide by what is known here? */
  isFresh(): boolean;
  /** Asks the source if that is due; while it is down it goes on with what is known. */
  refresh(): Promise<void>;
  /** Reads what is new. @throws unavailable */
  poll(): Promise<void>;
}

export interface Revocations extends KnownRevocations {
  /** Tells every process: durable when it returns, and honoured here. Idempotent. */
  publish(revocation: Revocation): Promise<void>;
}

const wholeReadEveryMs = 60_000;
const freshMs = 4000;
/** how long a request waits for the source before it goes on with what is known */
const patienceMs = 1000;
/** how long a failure keeps requests from waiting again */
const failureMemoryMs = 10_000;

export interface RevocationSource {
  /** everything of the last minutes @throws unavailable */
  readonly readRecent: (minutes: number) => Promise<RecentRevocations>;
  /** milliseconds since any moment; has to go on while the process is stopped */
  readonly elapsed: () => number;
}

/** For the process that keeps them. */
export function createRevocations(store: RevocationStore, elapsed: () => number, log: Logger): Revocations {
  const { note, ...known } = createKnownRevocations({ readRecent: store.readRecent, elapsed }, log);
  return {
    ...known,
    publish: async (revocation) => note(revocation, await store.insert(revocation)),
  };
}

/** For any process that verifies tokens: asks the source every now and then. */
export function createKnownRevocations(
  { readRecent, elapsed }: RevocationSource,
  log: Logger,
): KnownRevocations & { note(revocation: Revocation, minute: number): void } {
  const known = createRevocationSet();
  let lastPoll = Number.NEGATIVE_INFINITY;
  let lastWholePoll = Number.NEGATIVE_INFINITY;
  let lastFailure = Number.NEGATIVE_INFINITY;
  let polling: Promise<void> | undefined;

  const run = async () => {
    const startedAt = elapsed();
    const whole = startedAt - lastWholePoll >= wholeReadEveryMs;
    try {
      const { thisMinute, revocations } = await readRecent(whole ? keptMinutes : lateMinutes);
      for (const { revocation, minute } of revocations) known.add(revocation, minute);
      lastPoll = startedAt;
      if (whole) lastWholePoll = startedAt;
      if (lastFailure !== Number.NEGATIVE_INFINITY) log.info('revocations are read again');
      lastFailure = Number.NEGATIVE_INFINITY;
      known.forgetBefore(thisMinute - keptMinutes - 1);
    } catch (error) {
      if (lastFailure === Number.NEGATIVE_INFINITY)
        log.error({ err: error }, 'revocations can not be read, going on with those that are known');
      lastFailure = elapsed();
      throw error;
    }
  };

  const poll = () => {
    polling ??= run().finally(() => {
      polling = undefined;
    });
    return polling;
  };

  const isFresh = () => elapsed() - lastPoll <= freshMs;
  return {
    poll,
    isFresh,
    isRevoked: known.isRevoked,
    note: known.add,
    refresh: async () => {
      if (isFresh() || elapsed() - lastFailure <= failureMemoryMs) return;
      let finished = await withPatience(poll());
      // one that was under way may have begun before the process was paused
      if (finished && !isFresh()) finished = await withPatience(poll());
      if (!finished) lastFailure = elapsed();
    },
  };
}

/** False when the poll failed or takes too long. */
async function withPatience(poll: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, patienceMs, false);
  });
  const done = poll.then(
    () => true,
    (error: unknown) => {
      if (error instanceof Failure) return false;
      throw error;
    },
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

function createRevocationSet() {
  const ofUsers = new Map<
    string,
    { readonly lowestToken: number; readonly except: string | undefined; readonly minute: number }[]
  >();
  const ofSessions = new Map<string, number>();
  return {
    add(revocation: Revocation, minute: number): void {
      if ('sessionId' in revocation) {
        ofSessions.set(revocation.sessionId, minute);
        return;
      }
      const { userId, lowestToken, except } = revocation;
      const others = (ofUsers.get(userId) ?? []).filter((other) => other.lowestToken !== lowestToken);
      ofUsers.set(userId, [...others, { lowestToken, except, minute }]);
    },
    isRevoked({ userId, sessionId, tokenVersion }: Pick<Principal, 'userId' | 'sessionId' | 'tokenVersion'>): boolean {
      if (ofSessions.has(sessionId)) return true;
      return ofUsers.get(userId)?.some(({ lowestToken, except }) => tokenVersion < lowestToken && except !== sessionId) ?? false;
    },
    forgetBefore(minute: number): void {
      for (const [sessionId, published] of ofSessions) if (published < minute) ofSessions.delete(sessionId);
      for (const [userId, rows] of ofUsers) {
        const left = rows.filter((row) => row.minute >= minute);
        if (left.length === 0) ofUsers.delete(userId);
        else if (left.length < rows.length) ofUsers.set(userId, left);
      }
    },
  };
}

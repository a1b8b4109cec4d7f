import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import type { Principal } from '../../shared/principal.ts';
import type { AuthTables, RevocationItem } from './auth-tables.ts';

/** Access tokens of a user below a counter are over, but for those of one session; or all those of a session. */
export type Revocation =
  | { readonly userId: string; readonly lowestToken: number; readonly except?: string }
  | { readonly sessionId: string };

export interface Revocations {
  /** Tells every process: durable when it returns, and honoured here. Idempotent. */
  publish(revocation: Revocation): Promise<void>;
  isRevoked(principal: Pick<Principal, 'userId' | 'sessionId' | 'tokenVersion'>): boolean;
  /** Was the store asked lately enough to decide by what is known here? */
  isFresh(): boolean;
  /** Asks the store if that is due; with the store down it goes on with what is known. */
  refresh(): Promise<void>;
  /** Reads what is new. @throws unavailable */
  poll(): Promise<void>;
}

/** longer than an access token lives, with room for clocks that differ */
const keptMinutes = 20;
const lateMinutes = 2;
const wholeReadEveryMs = 60_000;
const freshMs = 4000;
/** how long a request waits for the store before it goes on with what is known */
const patienceMs = 1000;
/** how long a failure keeps requests from waiting again */
const failureMemoryMs = 10_000;
/** the clocks of two readers of the store's clock may differ by this much */
const aheadMs = 2000;
const minuteMs = 60_000;

interface Clock {
  /** the store's clock, milliseconds since 1970 */
  readonly storeNow: () => number;
  /** milliseconds since any moment; has to go on while the process is stopped */
  readonly elapsed: () => number;
}

/** The rows that end access tokens before their time, and what this process knows of them. Partitioned by the store's minute. */
export function createRevocations(
  { revocations }: Pick<AuthTables, 'revocations'>,
  { storeNow, elapsed }: Clock,
  log: Logger,
): Revocations {
  const known = createKnownRevocations();
  let lastPoll = Number.NEGATIVE_INFINITY;
  let lastWholePoll = Number.NEGATIVE_INFINITY;
  let lastFailure = Number.NEGATIVE_INFINITY;
  let polling: Promise<void> | undefined;
  const thisMinute = () => Math.floor(storeNow() / minuteMs);
  const lastMinute = () => Math.floor((storeNow() + aheadMs) / minuteMs);

  const readMinute = async (minute: number) => {
    let after: Readonly<Record<string, string | number>> | undefined;
    do {
      const page = await revocations.query({ partition: { minute }, after });
      for (const item of page.items) known.add(fromItem(item), minute);
      after = page.next;
    } while (after !== undefined);
  };

  const readMinutes = async (count: number) => {
    // The answers may correct the clock: then the minutes were the wrong ones.
    for (let newest = lastMinute(), attempt = 0; attempt < 3; attempt++) {
      await Promise.all(Array.from({ length: count + 1 }, (_, back) => readMinute(newest - back)));
      if (Math.abs(lastMinute() - newest) <= 1) return;
      newest = lastMinute();
    }
  };

  const run = async () => {
    const startedAt = elapsed();
    const whole = startedAt - lastWholePoll >= wholeReadEveryMs;
    try {
      await readMinutes(whole ? keptMinutes : lateMinutes);
      lastPoll = startedAt;
      if (whole) lastWholePoll = startedAt;
      if (lastFailure !== Number.NEGATIVE_INFINITY) log.info('revocations are read again');
      lastFailure = Number.NEGATIVE_INFINITY;
      known.forgetBefore(thisMinute() - keptMinutes - 1);
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
    refresh: async () => {
      if (isFresh() || elapsed() - lastFailure <= failureMemoryMs) return;
      const finished = await withPatience(poll());
      if (!finished) lastFailure = elapsed();
    },
    publish: async (revocation) => {
      for (;;) {
        const minute = thisMinute();
        // The same revocation has the same content: that it was there already is as good.
        await revocations.insert(toItem(revocation, minute));
        known.add(revocation, minute);
        // Readers look two minutes back: a row that took longer to arrive would be found late.
        if (thisMinute() - minute < lateMinutes) return;
      }
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

function createKnownRevocations() {
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

function toItem(revocation: Revocation, minute: number): RevocationItem {
  const expires = (minute + keptMinutes + 10) * 60;
  if ('sessionId' in revocation)
    return { minute, revocation_id: revocation.sessionId, session_id: revocation.sessionId, expires };
  const { userId, lowestToken, except } = revocation;
  return {
    minute,
    revocation_id: `${userId} ${lowestToken}`,
    user_id: userId,
    lowest_token: lowestToken,
    ...(except !== undefined && { except }),
    expires,
  };
}

function fromItem({ session_id, user_id, lowest_token, except }: RevocationItem): Revocation {
  if (session_id !== undefined) return { sessionId: session_id };
  return { userId: user_id ?? '', lowestToken: lowest_token ?? 0, ...(except !== undefined && { except }) };
}

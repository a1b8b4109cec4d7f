import type { RecentRevocations, Revocation } from './auth-api.ts';
import type { AuthTables, RevocationItem } from './auth-tables.ts';
import { keptMinutes, lateMinutes } from './limits.ts';

const minuteMs = 60_000;
/** the clocks of two readers of the store's clock may differ by this much */
const aheadMs = 2000;

/** The rows that end access tokens before their time, partitioned by the minute of the store's clock. */
export interface RevocationStore {
  /** Everything of the last minutes. @throws unavailable */
  readRecent(minutes: number): Promise<RecentRevocations>;
  /** Makes it durable. Answers the minute that it is kept under. Idempotent. @throws unavailable */
  insert(revocation: Revocation): Promise<number>;
}

/** `storeNow`: the store's clock, milliseconds since 1970 */
export function createRevocationStore({ revocations }: Pick<AuthTables, 'revocations'>, storeNow: () => number): RevocationStore {
  const thisMinute = () => Math.floor(storeNow() / minuteMs);
  const lastMinute = () => Math.floor((storeNow() + aheadMs) / minuteMs);

  const readMinute = async (minute: number) => {
    const found: { readonly minute: number; readonly revocation: Revocation }[] = [];
    let after: Readonly<Record<string, string | number>> | undefined;
    do {
      const page = await revocations.query({ partition: { minute }, after });
      found.push(...page.items.map((item) => ({ minute, revocation: fromItem(item) })));
      after = page.next;
    } while (after !== undefined);
    return found;
  };

  return {
    readRecent: async (minutes) => {
      const found: RecentRevocations['revocations'][number][] = [];
      // The answers may correct the clock: then the minutes were the wrong ones.
      for (let newest = lastMinute(), attempt = 0; attempt < 3; attempt++) {
        const read = Array.from({ length: minutes + 1 }, (_, back) => readMinute(newest - back));
        found.push(...(await Promise.all(read)).flat());
        if (Math.abs(lastMinute() - newest) <= 1) break;
        newest = lastMinute();
      }
      return { thisMinute: thisMinute(), revocations: found };
    },
    insert: async (revocation) => {
      for (;;) {
        const minute = thisMinute();
        // The same revocation has the same content: that it was there already is as good.
        await revocations.insert(toItem(revocation, minute));
        // Readers look two minutes back: a row that took longer to arrive would be found late.
        if (thisMinute() - minute < lateMinutes) return minute;
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

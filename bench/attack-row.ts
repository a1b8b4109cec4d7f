import { type BackgroundLoad, startBackgroundLoad } from './background-load.ts';
import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import { type BenchShop, customerNames } from './bench-shop.ts';
import { readOpenly } from './open-reads.ts';

/** What slow-sockets-program.ts is given. */
export interface SlowSockets {
  readonly port: number;
  readonly sockets: number;
}

export interface SlowSocketsResult {
  /** connections that were made, those of clients that were shut out and came again included */
  readonly opened: number;
  /** that were open at a time, at the median: those that are shut out together take a moment to come again */
  readonly usual: number;
}

/** What login-flood-program.ts is given. */
export interface LoginFlood {
  readonly port: number;
  readonly ratePerSecond: number;
  /** names that nobody has */
  readonly accounts: number;
  /** of accounts that exist */
  readonly usernames: readonly string[];
}

export interface LoginFloodResult {
  /** answers by status; `broken`: connections that broke */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
}

const sockets = 500;
const leastSockets = 0.9 * sockets;
/** some twenty times as many as one processor can check */
const ratePerSecond = 100;
const leastOfRate = 0.9;
const accounts = 10_000;
/** the limits of logins as they are by default, behind one proxy, so that each login has an address of its own */
const attacked = { TRUST_PROXY_HOPS: '1', RATE_LIMIT_LOGIN: '60/600', RATE_LIMIT_LOGIN_FAILURES: '10/600' };

export const attackRow: Row = {
  name: 'read-under-attack',
  title: 'p99 of product reads while 500 slow connections and 100 wrong passwords a second come in, against p99 when it is quiet',
  run: readUnderAttack,
};

/** @throws when a read was wrong, or the attack was none */
async function readUnderAttack({ keeper, settings, ownShop }: Bench): Promise<readonly Result[]> {
  const { rounds, seconds, warmUpSeconds } = settings;
  const shop = await ownShop('attacked', attacked);
  await shop.customers();
  const attack = async (duration: number) => {
    const stop = await beginAttack(keeper, shop);
    const { p99Ms } = await readOpenly(shop, duration);
    const problems = problemsOfAttack(await stop());
    if (problems.length > 0) throw new Error(`The attack was none: ${problems.join('; ')}`);
    return p99Ms;
  };
  await readOpenly(shop, warmUpSeconds);
  await attack(warmUpSeconds);
  const measured = await interleaved(rounds, {
    baseline: async () => (await readOpenly(shop, seconds)).p99Ms,
    project: () => attack(seconds),
  });
  await shop.close();
  const checked = 'every status and body of the reads, that the connections stay open, that passwords are checked';
  return [{ name: 'read-under-attack', unit: 'ms', ...measured, goal: { atMost: 2 }, checked }];
}

export interface Attack {
  readonly slow: SlowSocketsResult;
  readonly flood: LoginFloodResult;
}

/** Resolves when it is in full swing, to what ends it. */
async function beginAttack(keeper: Bench['keeper'], { port }: BenchShop): Promise<() => Promise<Attack>> {
  const slow: BackgroundLoad<SlowSocketsResult> = await startBackgroundLoad(keeper, 'slow-sockets-program.ts', {
    ...{ port, sockets },
  } satisfies SlowSockets);
  const flood: BackgroundLoad<LoginFloodResult> = await startBackgroundLoad(keeper, 'login-flood-program.ts', {
    ...{ port, ratePerSecond, accounts, usernames: ['admin', ...customerNames] },
  } satisfies LoginFlood);
  return async () => ({ slow: await slow.stop(), flood: await flood.stop() });
}

/** Why what was measured was no attack, or was not answered as one; nothing when all is well. */
export function problemsOfAttack({ slow, flood: { statuses, seconds } }: Attack): readonly string[] {
  const { 401: checkedPasswords = 0, 429: _limited, 503: _refused, ...others } = statuses;
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return [
    ...(slow.usual >= leastSockets ? [] : [`only ${slow.usual} of ${sockets} slow connections were open at a time`]),
    ...(checkedPasswords > 0 ? [] : ['no password was checked']),
    ...(answered >= seconds * ratePerSecond * leastOfRate ? [] : [`${answered} logins in ${seconds.toFixed(1)} s`]),
    ...Object.entries(others).map(([status, count]) => `${count} logins were answered ${status}`),
  ];
}

import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { startBackgroundLoad } from './background-load.ts';
import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import { type BenchShop, customerNames, customerPassword } from './bench-shop.ts';
import { readOpenly } from './open-reads.ts';
import { runProgram } from './order-load.ts';

/** What login-load-program.ts is given. */
export interface LoginLoad {
  readonly port: number;
  readonly clients: number;
  readonly usernames: readonly string[];
  readonly password: string;
}

export interface LoginLoadResult {
  /** answers by status */
  readonly statuses: Readonly<Record<string, number>>;
  /** access tokens that were answered, without repetition */
  readonly tokens: number;
  /** successful ones a second */
  readonly perSecond: number;
}

/** of the shop in production */
const cost = 12;
/** as many as fill the shop's place for hashes, and wait no longer than it lets them */
const clients = 4;
const floodClients = 16;

export const loginRows: readonly Row[] = [
  {
    name: 'logins',
    title: 'sign-ins a second with the right password against the processors divided by the time of one bcrypt of cost 12',
    run: measureLogins,
  },
  {
    name: 'read-while-logins',
    title: 'p99 of product reads while 16 customers sign in again and again, against p99 when it is quiet',
    run: readWhileLogins,
  },
];

async function measureLogins(bench: Bench): Promise<readonly Result[]> {
  const shop = await bench.shop();
  await shop.customers();
  const { rounds, seconds } = bench.settings;
  const measured = await interleaved(rounds, {
    baseline: async () => {
      const { perSecond } = await runProgram<{ perSecond: number }>('baselines/bcrypt-checks.ts', { seconds, cost });
      return perSecond * availableParallelism();
    },
    project: async () => {
      const stop = await beginLogins(bench, shop, clients);
      await pause(seconds * 1000);
      const { statuses, perSecond } = await stop();
      if (statuses[503] !== undefined) throw new Error(`${statuses[503]} logins of ${clients} customers were refused.`);
      return perSecond;
    },
  });
  return [{ name: 'logins', unit: '/s', ...measured, goal: { atLeast: 0.9 }, checked: 'every status, a new token each time' }];
}

async function readWhileLogins(bench: Bench): Promise<readonly Result[]> {
  const shop = await bench.shop();
  await shop.customers();
  const { rounds, seconds, warmUpSeconds } = bench.settings;
  const beside = async (duration: number) => {
    const stop = await beginLogins(bench, shop, floodClients);
    const { p99Ms } = await readOpenly(shop, duration);
    await stop();
    return p99Ms;
  };
  await readOpenly(shop, warmUpSeconds);
  await beside(warmUpSeconds);
  const measured = await interleaved(rounds, {
    baseline: async () => (await readOpenly(shop, seconds)).p99Ms,
    project: () => beside(seconds),
  });
  const checked = 'every status and body of the reads, every status of the logins, a new token each time';
  return [{ name: 'read-while-logins', unit: 'ms', ...measured, goal: { atMost: 2 }, checked }];
}

/** Answers what ends them. @throws then, when they were not answered right */
async function beginLogins({ keeper }: Bench, { port }: BenchShop, many: number): Promise<() => Promise<LoginLoadResult>> {
  const input: LoginLoad = { port, clients: many, usernames: customerNames, password: customerPassword };
  const load = await startBackgroundLoad<LoginLoadResult>(keeper, 'login-load-program.ts', input);
  return async () => {
    const result = await load.stop();
    const problems = problemsOfLogins(result);
    if (problems.length > 0) throw new Error(`The logins are not right: ${problems.join('; ')}`);
    return result;
  };
}

/** Nothing when somebody signed in, each got a token of their own, and the others were told to come later. */
export function problemsOfLogins({ statuses, tokens }: LoginLoadResult): readonly string[] {
  const { 200: signedIn = 0, 503: _refused, ...others } = statuses;
  return [
    ...(signedIn > 0 ? [] : ['nobody signed in']),
    ...(tokens === signedIn ? [] : [`${signedIn} sign-ins got ${tokens} tokens`]),
    ...Object.entries(others).map(([status, count]) => `${count} logins were answered ${status}`),
  ];
}

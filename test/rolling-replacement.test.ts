import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openMysql } from '../src/shared/database.ts';
import { temporaryFolder } from './child-process.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { buildShop } from './harness/built-shop.ts';
import { eventually } from './harness/eventually.ts';
import { createFleet, type Fleet, startTask, type Task } from './harness/fleet.ts';
import { describeWithHaproxy, noticedWithinMs, startHaproxy } from './harness/haproxy.ts';
import { type LoadResult, startOpenLoad } from './harness/open-load.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';
import { freePort } from './harness/server-child.ts';
import { type Shopping, startShopping } from './harness/shopping.ts';
import { makeShopStores, type ShopStores } from './harness/stores.ts';

/** Tasks of the built shop behind a balancer, changed while customers shop at a constant rate. */

const replacements = Number(process.env.ROLLING_REPLACEMENTS ?? 10);
const ratePerSecond = Number(process.env.ROLLING_RATE ?? 20);
const perReplacementMs = 15_000;
const usualTasks = 3;
const admin = { username: 'admin', password: 'the first admin of all' };

const folder = temporaryFolder();
let redis: RedisServer;
let stores: ShopStores;
let entry: string;
let env: Record<string, string>;
let worker: Task;

interface Outcome extends LoadResult {
  readonly shopping: Shopping;
}

/** Opens a shop of three tasks, lets customers shop, and changes the tasks meanwhile; at the end the books have to be clean. */
async function whileShopping(
  change: (fleet: Fleet) => Promise<void>,
  { redispatch = false, variables = {} }: { redispatch?: boolean; variables?: Record<string, string> } = {},
): Promise<Outcome> {
  const balancer = await startHaproxy({ tasks: usualTasks + 3, redispatch });
  const fleet = createFleet({ entry, env: { ...env, ROLES: 'web', ...variables }, balancer });
  try {
    for (let each = 0; each < usualTasks; each++) await fleet.add();
    await eventually(async () => expect(await balancer.inService()).toHaveLength(usualTasks));
    const shopping = await startShopping(balancer.url, admin);
    const load = startOpenLoad({ url: balancer.url, ratePerSecond, next: shopping.next });
    await change(fleet).finally(() => pause(noticedWithinMs));
    const result = await load.stop();
    process.stderr.write(`${expect.getState().currentTestName}: ${summary(result)}\n`);
    for (const { step } of result.failed) await shopping.repeat(step);
    await expectCleanBooks(shopping);
    return { ...result, shopping };
  } finally {
    await fleet.stop();
    await balancer.stop();
  }
}

/** Why requests failed, and how many for each reason. */
function reasons(failed: LoadResult['failed']): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { step, reason } of failed) {
    const { call } = step;
    const what = `${call.method} ${call.path}: ${reason}`.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…');
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** Nothing that was acknowledged is lost, and nothing is left over. */
async function expectCleanBooks(shopping: Shopping): Promise<void> {
  await eventually(async () => expect(await shopping.missing()).toEqual([]), 60_000);
  const db = await openMysql({ url: env.MYSQL_URL ?? '' });
  try {
    await eventually(async () => expect(await findingsOf(db)).toEqual([]), 60_000);
  } finally {
    await db.close();
  }
}

const describeBehindBalancer = () => (describeWithHaproxy() === describe ? describeWithRedis() : describe.skip);

describeBehindBalancer()('tasks behind a balancer', () => {
  beforeAll(async () => {
    redis = await startRedis();
    stores = await makeShopStores();
    entry = await buildShop(folder.path);
    env = {
      ...stores.variables,
      REDIS_URL: redis.url,
      JWT_PRIVATE_KEYS: generateKeyPairSync('rsa', { modulusLength: 2048 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
      REFRESH_KEYS: randomBytes(32).toString('hex'),
      PASSWORD_PEPPER: randomBytes(32).toString('hex'),
      BCRYPT_COST: '4',
      ADMIN_USERNAME: admin.username,
      ADMIN_PASSWORD: admin.password,
      TRUST_PROXY_HOPS: '1',
      // all customers have one address here
      RATE_LIMIT_BROWSING: '1000000/60',
      RATE_LIMIT_ORDERS: '1000000/60',
      DRAIN_DELAY_MS: String(2 * noticedWithinMs),
    };
    worker = await startTask({ entry, env: { ...env, ROLES: 'worker' }, port: await freePort() });
  }, 120_000);

  afterAll(async () => {
    await worker?.end('SIGKILL');
    await stores?.remove();
    await redis?.stop();
    folder.remove();
  });

  it(
    'are replaced one after the other without a failed request',
    async () => {
      const codes: (number | null)[] = [];
      const errors: string[] = [];
      const { failed, shopping } = await whileShopping(async (fleet) => {
        let leaving: Promise<unknown> = Promise.resolve();
        for (let each = 0; each < replacements; each++) {
          await fleet.add();
          // the one before may still be draining, as in a deployment
          await leaving;
          const { errors: said = [] } = fleet.tasks[0] ?? {};
          leaving = fleet.remove().then((code) => {
            codes.push(code);
            errors.push(...said);
          });
        }
        await leaving;
      });
      expect(reasons(failed)).toEqual({});
      expect(errors).toEqual([]);
      expect(codes).toEqual(Array.from({ length: replacements }, () => 0));
      expect(shopping.placed.size).toBeGreaterThan(replacements);
      expect(shopping.cancelled.size).toBeGreaterThan(0);
    },
    200_000 + replacements * perReplacementMs,
  );

  it('become more and fewer without a failed request, and so do workers', async () => {
    const { failed } = await whileShopping(async (fleet) => {
      await fleet.add();
      await fleet.add();
      const another = await startTask({ entry, env: { ...env, ROLES: 'worker' }, port: await freePort() });
      expect(await worker.end('SIGTERM')).toBe(0);
      worker = another;
      for (let each = 0; each < 4; each++) expect(await fleet.remove()).toBe(0);
      await fleet.add();
    });
    expect(reasons(failed)).toEqual({});
  }, 200_000);

  it('are missed when they end without a drain', async () => {
    const { failed } = await whileShopping(
      async (fleet) => {
        expect(await fleet.remove()).toBe(0);
        expect(await fleet.remove()).toBe(0);
      },
      { variables: { DRAIN_DELAY_MS: '0' } },
    );
    expect(Object.keys(reasons(failed)).join()).toMatch(/: Error: 50[23]/);
  }, 200_000);

  it('fail what is under way in them and nothing else when they are killed', async () => {
    const kills: { readonly at: number; readonly goneAt: number }[] = [];
    const { failed, sent } = await whileShopping(
      async (fleet) => {
        for (let each = 0; each < 5; each++) {
          const at = performance.now();
          const gone = fleet.kill();
          const goneAt = await gone.then(() => performance.now());
          kills.push({ at, goneAt });
          await fleet.add();
        }
      },
      { redispatch: true },
    );
    for (const { startedAt, endedAt, reason } of failed)
      expect({ reason, underWay: kills.some(({ at, goneAt }) => startedAt <= goneAt && endedAt >= at) }).toEqual({
        reason,
        underWay: true,
      });
    expect(failed.length).toBeLessThan(sent / 10);
  }, 200_000);
});

function summary({ sent, answered, failed, longestMs }: LoadResult): string {
  const statuses = Object.entries(answered).map(([status, count]) => `${count} × ${status}`);
  return `${sent} requests (${statuses.join(', ')}), ${failed.length} failed, longest answer ${Math.round(longestMs)} ms`;
}

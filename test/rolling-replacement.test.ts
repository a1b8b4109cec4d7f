import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { openMysql } from '../src/shared/database.ts';
import { temporaryFolder } from './child-process.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { buildShop } from './harness/built-shop.ts';
import { eventually } from './harness/eventually.ts';
import { createFleet, type Fleet, startTask, type Task } from './harness/fleet.ts';
import { describeWithHaproxy, type Haproxy, noticedWithinMs, startHaproxy } from './harness/haproxy.ts';
import { type LoadResult, startOpenLoad } from './harness/open-load.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';
import { freePort } from './harness/server-child.ts';
import { type Shopping, startShopping } from './harness/shopping.ts';
import { makeShopStores, type ShopStores } from './harness/stores.ts';

/** Tasks of the built shop behind a balancer, changed while customers shop at a constant rate. */

const replacements = Number(process.env.ROLLING_REPLACEMENTS ?? 10);
const ratePerSecond = Number(process.env.ROLLING_RATE ?? 60);
const perReplacementMs = 15_000;
const usualTasks = 3;
const admin = { username: 'admin', password: 'the first admin of all' };

const folder = temporaryFolder();
let redis: RedisServer;
let stores: ShopStores;
let entry: string;
let env: Record<string, string>;
let worker: Task;

/** A fleet and its customers. */
async function open({ redispatch = false, variables = {} }: { redispatch?: boolean; variables?: Record<string, string> } = {}) {
  const balancer = await startHaproxy({ tasks: usualTasks + 3, redispatch });
  const fleet = createFleet({ entry, env: { ...env, ROLES: 'web', ...variables }, balancer });
  for (let each = 0; each < usualTasks; each++) await fleet.add();
  await eventually(async () => expect(await balancer.inService()).toHaveLength(usualTasks));
  return { balancer, fleet };
}

async function close({ balancer, fleet }: { balancer: Haproxy; fleet: Fleet }): Promise<void> {
  await fleet.stop();
  await balancer.stop();
}

/** Why requests failed, and how many for each reason. */
function reasons({ failed }: LoadResult): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { call, reason } of failed) {
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
    worker = await startTask(entry, { ...env, ROLES: 'worker' }, await freePort());
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
      const shop = await open();
      const shopping = await startShopping(shop.balancer.url, admin);
      const load = startOpenLoad({ url: shop.balancer.url, ratePerSecond, next: shopping.next });
      const codes: (number | null)[] = [];
      const errors: string[] = [];
      let leaving: Promise<unknown> = Promise.resolve();
      for (let each = 0; each < replacements; each++) {
        await shop.fleet.add();
        await leaving;
        errors.push(...(shop.fleet.tasks[0]?.errors ?? []));
        leaving = shop.fleet.remove().then((code) => codes.push(code));
      }
      await leaving;
      const result = await load.stop();
      process.stderr.write(`${replacements} replacements: ${summary(result)}\n`);
      expect(reasons(result)).toEqual({});
      expect(errors).toEqual([]);
      expect(codes).toEqual(Array.from({ length: replacements }, () => 0));
      expect(shopping.placed.size).toBeGreaterThan(replacements);
      expect(shopping.cancelled.size).toBeGreaterThan(0);
      await expectCleanBooks(shopping);
      await close(shop);
    },
    120_000 + replacements * perReplacementMs,
  );
});

function summary({ sent, answered, failed, longestMs }: LoadResult): string {
  const statuses = Object.entries(answered).map(([status, count]) => `${count} × ${status}`);
  return `${sent} requests (${statuses.join(', ')}), ${failed.length} failed, longest answer ${Math.round(longestMs)} ms`;
}

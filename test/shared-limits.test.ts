import { pino } from 'pino';
import type { QuotaRules } from '../src/shared/http-quota.ts';
import { openSharing, type Sharing } from '../src/shared/sharing.ts';
import { eventually } from './harness/eventually.ts';
import { type Front, startFront } from './harness/front.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';

const limit = 10;
const quotas: QuotaRules = {
  browsing: { limit, windowSeconds: 60, per: 'address', exact: true },
  orders: { limit, windowSeconds: 60, per: 'user' },
  staff: { limit, windowSeconds: 60, per: 'user' },
};

interface Process {
  readonly sharing: Sharing;
  readonly front: Front;
}

let server: RedisServer;
let here: Process;
let there: Process;

async function startProcess(): Promise<Process> {
  const sharing = await openSharing(server.url, pino({ level: 'silent' }));
  const front = await startFront({
    quotas,
    trustProxyHops: 1,
    counters: sharing.quotas,
    checks: { cache: () => sharing.ping() },
  });
  return { sharing, front };
}

let address = 0;
const anAddress = () => {
  address += 1;
  return `10.0.0.${address}`;
};
const browse = ({ front }: Process, from: string) => front.as().get('/boats').set('X-Forwarded-For', from);
const tally = ({ front }: Process, user: string) => front.as(`customer-${user}`).get('/boats/tally');
/** How many of these were let in; whatever else happens, nothing is a fault. */
const admitted = async (answers: readonly PromiseLike<{ status: number; headers: Record<string, string> }>[]) => {
  const all = await Promise.all(answers);
  expect(all.every(({ status }) => status === 200 || status === 429)).toBe(true);
  expect(all.every(({ headers }) => /r=\d+; t=\d+/.test(headers.ratelimit ?? ''))).toBe(true);
  return all.filter(({ status }) => status === 200).length;
};
const fromBoth = <T>(times: number, ask: (process: Process) => T) =>
  Array.from({ length: times }, (_, index) => ask(index % 2 === 0 ? here : there));
const aMomentLater = (ms = 400) => new Promise((resolve) => setTimeout(resolve, ms));
const bothKnowEachOther = () =>
  eventually(async () => expect(await server.client.zcard('shop:processes')).toBe(2)).then(() => aMomentLater(1200));
const bothAreBack = () => eventually(() => Promise.all([here.sharing.ping(), there.sharing.ping()]));

describeWithRedis()('a quota of two processes', () => {
  beforeAll(async () => {
    server = await startRedis();
    here = await startProcess();
    there = await startProcess();
    await bothKnowEachOther();
  });
  afterAll(async () => {
    for (const { front, sharing } of [here, there]) {
      await front.stop();
      await sharing.close();
    }
    await server.stop();
  });

  it('is one, to the request, where it is exact', async () => {
    const from = anAddress();
    expect(await admitted(fromBoth(40, (process) => browse(process, from)))).toBe(limit);
  });

  it('is one, within a flush, where it is not', async () => {
    expect(await admitted(fromBoth(4, (process) => tally(process, 'ann')))).toBe(4);
    await aMomentLater();
    const { headers } = await tally(here, 'ann');
    expect(headers.ratelimit).toMatch(/r=5;/);
    await aMomentLater();
    await tally(there, 'ann');
    await aMomentLater();
    expect(await admitted(Array.from({ length: 20 }, () => tally(there, 'ann')))).toBe(4);
    await aMomentLater();
    await tally(here, 'ann');
    await aMomentLater();
    expect((await tally(here, 'ann')).status).toBe(429);
  });

  it('begins again when its window ends', async () => {
    const change = { key: 'short', by: 1, windowMs: 300, limit };
    const totals = async () => [await here.sharing.counters.count([change]), await there.sharing.counters.count([change])];
    expect((await totals()).map(([tally]) => tally?.total)).toEqual([1, 2]);
    await aMomentLater(350);
    expect((await totals()).map(([tally]) => tally?.total)).toEqual([1, 2]);
  });

  it('begins again for all when one process resets it', async () => {
    const change = { key: 'reset', by: 3, windowMs: 60_000, limit };
    await here.sharing.counters.count([change]);
    await there.sharing.counters.count([change]);
    await here.sharing.counters.reset('reset', 60_000);
    const [fromThere] = await there.sharing.counters.count([{ ...change, by: 1 }]);
    const [fromHere] = await here.sharing.counters.count([{ ...change, by: 1 }]);
    expect([fromThere?.total, fromHere?.total]).toEqual([1, 2]);
  });

  it('survives garbage in the place of a counter', async () => {
    await server.client.set('shop:count:spoilt', 'garbage');
    const [tally] = await here.sharing.counters.count([{ key: 'spoilt', by: 1, windowMs: 60_000, limit }]);
    expect(tally?.total).toBe(1);
  });

  it('is not forgotten when Redis restarts empty', async () => {
    const from = anAddress();
    await admitted(fromBoth(6, (process) => browse(process, from)));
    await server.kill();
    await server.start();
    await bothAreBack();
    await browse(here, from);
    await browse(there, from);
    expect(await admitted(fromBoth(20, (process) => browse(process, from)))).toBe(2);
  });

  it.each([
    ['gone', () => server.kill(), () => server.start()],
    ['frozen', async () => server.freeze(), async () => server.thaw()],
  ])('is shared out evenly while Redis is %s', async (_how, fail, heal) => {
    await bothKnowEachOther();
    await fail();
    const from = anAddress();
    expect(await admitted(fromBoth(40, (process) => browse(process, from)))).toBe(limit);
    expect(await admitted(fromBoth(40, (process) => tally(process, `user${address}`)))).toBe(limit);
    expect(await here.front.as().get('/readyz')).toMatchObject({
      status: 200,
      body: { status: 'degraded', stores: { cache: 'down' } },
    });
    await heal();
    await bothAreBack();
    expect(await admitted(fromBoth(10, (process) => browse(process, from)))).toBe(0);
  });
});

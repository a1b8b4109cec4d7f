import { temporaryFolder } from './child-process.ts';
import type { Cluster } from './faults/cluster.ts';
import { runShortLinkFaults, startServiceCluster } from './faults/fault-suite.ts';
import { replayUnderFire } from './faults/replay-run-under-fire.ts';
import { describeWithRedis } from './harness/redis-server.ts';
import { manyRows, retailFileOf } from './harness/retail-sample.ts';

/** One seed of the short ones; `npm run test:faults -- --only L-01,…` and `npm run test:replay -- FILE --services` do all of it. */
const seed = 1;
const scale = 0.25;
const orders = 300;

describeWithRedis()('auth, catalog and orders as processes of their own', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startServiceCluster();
  }, 120_000);
  afterAll(() => cluster.close());

  it('sell a file of orders to the penny and the piece while the catalog is killed again and again', async () => {
    const folder = temporaryFolder();
    let text = '';
    const output = {
      isTTY: false,
      write: (part: string) => {
        text += part;
      },
    };
    const path = retailFileOf(folder.path, manyRows(orders));
    const victims = cluster.shops.filter(({ name }) => name === 'catalog');
    const result = await replayUnderFire({ cluster, victims, path, everyMs: 2500, seed, concurrency: 2, output });
    folder.remove();
    expect(text).toMatch(new RegExp(`^orders +${orders}\n`, 'm'));
    expect(result).toMatchObject({ exitCode: 0, findings: [], backlog: { events: 0, held: 0 } });
    expect(result.kills.catalog).toBeGreaterThan(0);
  }, 120_000);

  it('keep every promise while the link to the catalog fails and services are killed', async () => {
    const { broken, operations } = await runShortLinkFaults(cluster, { seed, scale });
    expect(broken).toEqual(new Map());
    expect(operations).toBeGreaterThan(100);
  }, 180_000);
});

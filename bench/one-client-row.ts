import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import type { BenchShop } from './bench-shop.ts';
import { mustBeClean } from './order-check.ts';
import { placeOrders } from './order-rows.ts';

const hook = pathToFileURL(join(import.meta.dirname, 'baselines', 'unbatched-shop.ts')).href;

export const oneClientRow: Row = {
  name: 'one-client',
  alone: true,
  title: 'median time of an order of one client alone against the same server with nothing batched',
  run: compareOneClient,
};

/** Both sides send the same statements over the same HTTP: what differs is the batcher. */
async function compareOneClient({ settings, ownShop }: Bench): Promise<readonly Result[]> {
  const { rounds, seconds, warmUpSeconds } = settings;
  const sides = { baseline: await ownShop('unbatched', { NODE_OPTIONS: `--import=${hook}` }), project: await ownShop('batched') };
  if (!isUnbatched(sides.baseline)) throw new Error('The baseline of one-client batches.');
  if (isUnbatched(sides.project)) throw new Error('The project of one-client does not batch.');
  const median = async (shop: BenchShop, duration: number) =>
    (await placeOrders({ shop, seconds: duration, clients: 1 })).medianMs;
  for (const shop of Object.values(sides)) await median(shop, warmUpSeconds);
  const measured = await interleaved(rounds, {
    baseline: () => median(sides.baseline, seconds),
    project: () => median(sides.project, seconds),
  });
  const checked = `status, body and id of every answer, orders in the database, all confirmed, ${await mustBeClean(sides.project.db)}`;
  for (const shop of Object.values(sides)) await shop.close();
  return [{ name: 'one-client', unit: 'ms', ...measured, goal: { atMost: 1.2 }, checked }];
}

function isUnbatched(shop: BenchShop): boolean {
  return shop.process.lives().at(-1)?.stderr.includes('nothing is batched') === true;
}

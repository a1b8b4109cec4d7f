import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import type { BenchShop } from './bench-shop.ts';
import { loadReads } from './read-load.ts';

const workers = 2;

export const workerRow: Row = {
  name: 'two-workers',
  alone: true,
  title: 'processor time of a product read with two workers of pm2 against that with one process',
  run: compareWorkers,
};

async function compareWorkers({ settings, ownShop }: Bench): Promise<readonly Result[]> {
  const { rounds, seconds, warmUpSeconds } = settings;
  const sides = { baseline: await ownShop('one', {}, 1), project: await ownShop('two', {}, workers) };
  const microseconds = async (shop: BenchShop, duration: number) => {
    const url = `${shop.url}/api/products/${shop.productIds[0]}`;
    const body = await (await fetch(url)).text();
    const before = shop.cpuSeconds();
    const { requests } = await loadReads({ url, seconds: duration, body });
    return ((shop.cpuSeconds() - before) * 1_000_000) / requests;
  };
  for (const shop of Object.values(sides)) await microseconds(shop, warmUpSeconds);
  const measured = await interleaved(rounds, {
    baseline: () => microseconds(sides.baseline, seconds),
    project: () => microseconds(sides.project, seconds),
  });
  for (const shop of Object.values(sides)) await shop.close();
  return [{ name: 'two-workers', unit: 'µs', ...measured, goal: { atMost: 1.1 }, checked: 'every status, sampled bodies' }];
}

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBench } from './bench-context.ts';
import type { BenchShop } from './bench-shop.ts';
import { type CpuProfile, callTree, selfShares } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { placeOrders } from './order-rows.ts';
import { loadReads } from './read-load.ts';

/** `npm run profile -- orders|reads`: where a server under that load spends its time, as a CPU profile and a flame graph. */
const usage = 'usage: npm run profile -- orders|reads\n';
const seconds = 6;
const warmUpSeconds = 3;
const folder = join(import.meta.dirname, '..', 'profiles');
const told = 40;

const loads = {
  orders: async (shop: BenchShop, duration: number) => void (await placeOrders({ shop, seconds: duration })),
  reads: async ({ url, productIds }: BenchShop, duration: number) => {
    const product = `${url}/api/products/${productIds[0]}`;
    await loadReads({ url: product, seconds: duration, body: await (await fetch(product)).text() });
  },
} as const;

async function main(): Promise<void> {
  const [, , name = ''] = process.argv;
  const load = name === 'orders' || name === 'reads' ? loads[name] : undefined;
  if (load === undefined) throw new Error(usage);
  const bench = createBench({ rounds: 1, seconds, warmUpSeconds, rows: 0, products: 10_000, workers: 1, sizes: [], trial: true });
  const written = join(bench.folder, 'profile');
  let fromMicroseconds = 0;
  try {
    const settings = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${written}` };
    const shop = await bench.ownShop('profiled', settings);
    await load(shop, warmUpSeconds);
    fromMicroseconds = Number(process.hrtime.bigint() / 1000n);
    await load(shop, seconds);
    await shop.close();
    mkdirSync(folder, { recursive: true });
    const [file = ''] = readdirSync(written);
    renameSync(join(written, file), join(folder, `${name}.cpuprofile`));
  } finally {
    await bench.close();
  }
  const profile: CpuProfile = JSON.parse(readFileSync(join(folder, `${name}.cpuprofile`), 'utf8')); // as Node wrote it
  const tree = callTree(profile, fromMicroseconds);
  writeFileSync(join(folder, `${name}.svg`), flameGraph(tree));
  const shares = selfShares(tree).slice(0, told);
  process.stdout.write(shares.map(({ name: of, share }) => `${(100 * share).toFixed(1).padStart(5)} %  ${of}\n`).join(''));
  process.stdout.write(`profiles/${name}.cpuprofile and profiles/${name}.svg\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, createBench } from './bench-context.ts';
import { type BenchShop, enter, startEmbeddedShop } from './bench-shop.ts';
import { type CpuProfile, callTree, selfShares } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { untilOutboxEmpty } from './order-check.ts';
import { placeOrders } from './order-rows.ts';
import { overloadFor } from './overload-row.ts';
import { loadReads } from './read-load.ts';

/** `npm run profile -- NAME`: where a server under that load spends its time, as a CPU profile and a flame graph. */
const seconds = 6;
const warmUpSeconds = 3;
const products = 10_000;
const folder = join(import.meta.dirname, '..', 'profiles');
const told = 40;

type Settings = Readonly<Record<string, string>>;
type Load = (shop: BenchShop, seconds: number) => Promise<unknown>;

const onServers = (bench: Bench, settings: Settings) => bench.ownShop('profiled', settings);
const placing: Load = (shop, duration) => placeOrders({ shop, seconds: duration });
const placingHot: Load = (shop, duration) => placeOrders({ shop, seconds: duration, hot: true });

const profiles: ReadonlyMap<
  string,
  { readonly start: (bench: Bench, settings: Settings) => Promise<BenchShop>; readonly load: Load }
> = new Map([
  ['orders', { start: onServers, load: placing }],
  ['orders-hot', { start: onServers, load: placingHot }],
  ['orders-embedded', { start: onOwnStorage, load: placing }],
  ['overload', { start: onServers, load: overload }],
  ['reads', { start: onServers, load: readOne }],
  ['authenticated-reads', { start: onServers, load: readAsCustomer }],
  ['exports', { start: onServers, load: exportAll }],
]);

async function onOwnStorage(bench: Bench, settings: Settings): Promise<BenchShop> {
  const place = join(bench.folder, 'profiled');
  mkdirSync(place);
  return startEmbeddedShop({ keeper: bench.keeper, built: await bench.built(), folder: place, products, settings });
}

async function readOne({ url, productIds }: BenchShop, duration: number, headers: Readonly<Record<string, string>> = {}) {
  const product = `${url}/api/products/${productIds[0]}`;
  await loadReads({ url: product, seconds: duration, headers, body: await (await fetch(product)).text() });
}

async function readAsCustomer(shop: BenchShop, duration: number): Promise<void> {
  const [token] = await shop.customers();
  await readOne(shop, duration, { authorization: `Bearer ${token}` });
}

/** The first second finds the peak. */
async function overload(shop: BenchShop, duration: number): Promise<void> {
  const { accepted } = await placeOrders({ shop, seconds: 1 });
  await overloadFor(shop, { peak: accepted, seconds: duration - 1 });
  await untilOutboxEmpty(shop.db);
}

/** One export after the other. */
async function exportAll({ url }: BenchShop, duration: number): Promise<void> {
  const { token } = await enter(url, 'admin', 'login');
  for (const until = performance.now() + duration * 1000; performance.now() < until; ) {
    const answer = await fetch(`${url}/api/products/export`, { headers: { authorization: `Bearer ${token}` } });
    const lines = (await answer.text()).split('\n').length - 1;
    if (lines !== products) throw new Error(`An export of ${products} products answered ${answer.status} with ${lines} lines.`);
  }
}

async function main(): Promise<void> {
  const [, , name = ''] = process.argv;
  const profile = profiles.get(name);
  if (profile === undefined) throw new Error(`usage: npm run profile -- ${[...profiles.keys()].join('|')}`);
  const tree = callTree(...(await record(name, profile.start, profile.load)));
  writeFileSync(join(folder, `${name}.svg`), flameGraph(tree));
  const shares = selfShares(tree).slice(0, told);
  process.stdout.write(shares.map(({ name: of, share }) => `${(100 * share).toFixed(1).padStart(5)} %  ${of}\n`).join(''));
  process.stdout.write(`profiles/${name}.cpuprofile and profiles/${name}.svg\n`);
}

/** Answers the profile, which is in `profiles/` as well, and the microsecond of the monotonic clock at which the warm-up was over. */
async function record(
  name: string,
  start: (bench: Bench, settings: Settings) => Promise<BenchShop>,
  load: Load,
): Promise<[CpuProfile, number]> {
  const bench = createBench({
    rounds: 1,
    seconds,
    overloadSeconds: seconds,
    warmUpSeconds,
    rows: 0,
    products,
    workers: 1,
    sizes: [],
    trial: true,
  });
  const written = join(bench.folder, 'profile');
  const file = join(folder, `${name}.cpuprofile`);
  try {
    const shop = await start(bench, { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${written}` });
    await load(shop, warmUpSeconds);
    const fromMicroseconds = Number(process.hrtime.bigint() / 1000n);
    await load(shop, seconds);
    await shop.close();
    mkdirSync(folder, { recursive: true });
    // the names begin with the time: the last is that of the process which had the load
    renameSync(join(written, readdirSync(written).sort().at(-1) ?? ''), file);
    return [JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, fromMicroseconds]; // as Node wrote it
  } finally {
    await bench.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

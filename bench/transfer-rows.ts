import type { Database } from '../src/shared/database.ts';
import { startBaseline } from './baseline-server.ts';
import type { ProductInserts, ProductInsertsResult } from './baselines/mysql-import.ts';
import type { Bench } from './bench-context.ts';
import { interleaved, type Result, type Row } from './bench-row.ts';
import { type BenchShop, enter } from './bench-shop.ts';
import { mustBeClean } from './order-check.ts';
import { runProgram } from './order-load.ts';
import { importNumbered, type Numbers, readExport } from './product-stream.ts';

/** Of all rows of a run: before the first round, so that what is compiled on the way is. */
const warmUpShare = 0.1;
const fewRows = 10_000;
const tables = ['catalog_products', 'catalog_stock', 'catalog_stock_movements', 'catalog_search'];
const sameBytes = 'every byte of the export is what was imported';

/** One stream each, which one process serves however many there are. */
export const transferRows: readonly Row[] = [
  {
    name: 'import',
    alone: true,
    title: 'products imported a second through `POST /api/products/import` against multi-row inserts by hand (--rows)',
    run: compareImports,
  },
  {
    name: 'export',
    alone: true,
    title: 'products exported a second against a SELECT streamed over HTTP by hand (--rows)',
    run: compareExports,
  },
  {
    name: 'import-memory',
    alone: true,
    title: 'peak of the resident memory while many products are imported (--rows) over that with 10,000',
    run: rememberImports,
  },
  {
    name: 'export-memory',
    alone: true,
    title: 'the same while they are exported',
    run: rememberExports,
  },
];

/** Each round adds its share of the products to those of the rounds before, on both sides. */
async function compareImports(bench: Bench): Promise<readonly Result[]> {
  const { rounds, rows } = bench.settings;
  const shop = await shopWithout(bench, 'imported');
  const byHand = await (await bench.stores()).database('imported_by_hand', 0);
  const done = { baseline: 0, project: 0 };
  const next = (side: keyof typeof done, count: number): Numbers => {
    const first = done[side];
    done[side] += count;
    return { first, count };
  };
  const baseline = (count: number) => insertByHand(byHand.url, next('baseline', count));
  const project = (count: number) => importInto(shop, next('project', count));
  const [warmUp, perRound] = [Math.ceil(rows * warmUpShare), Math.ceil(rows / rounds)];
  await baseline(warmUp);
  await project(warmUp);
  const measured = await interleaved(rounds, { baseline: () => baseline(perRound), project: () => project(perRound) });
  for (const db of [byHand.db, shop.db]) await mustHave(db, done.project);
  await exportFrom(shop, { first: 0, count: done.project });
  const checked = `the reports, rows of each table, ${sameBytes}, ${await mustBeClean(shop.db)}`;
  await shop.close();
  return [{ name: 'import', unit: '/s', ...measured, goal: { atLeast: 0.7 }, checked }];
}

/** Both sides read one database. */
async function compareExports(bench: Bench): Promise<readonly Result[]> {
  const { rounds, rows } = bench.settings;
  const all = { first: 0, count: rows };
  const shop = await shopWith(bench, 'exported', all);
  const { url: database } = await (await bench.stores()).database('exported');
  const server = await startBaseline(bench.keeper, 'mysql-export.ts', { database });
  try {
    const baseline = () => perSecond(rows, () => readExport(server.url, {}, all));
    const project = () => exportFrom(shop, all);
    await baseline();
    await project();
    const measured = await interleaved(rounds, { baseline, project });
    return [{ name: 'export', unit: '/s', ...measured, goal: { atLeast: 0.7 }, checked: sameBytes }];
  } finally {
    await server.stop();
    await shop.close();
  }
}

/** A new shop each round, since only the first products are few. */
async function rememberImports(bench: Bench): Promise<readonly Result[]> {
  const { rounds, rows } = bench.settings;
  const few = fewOf(rows);
  const project: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const shop = await shopWithout(bench, `remembered_${round}`);
    await importInto(shop, { first: 0, count: few });
    const before = shop.peakMib();
    await importInto(shop, { first: few, count: rows - few });
    project.push(shop.peakMib() - before);
    await mustHave(shop.db, rows);
    await shop.close();
  }
  return [{ name: 'import-memory', unit: 'MiB', project, goal: { atMost: 64 }, checked: 'the reports, rows of each table' }];
}

/** Each export is the first thing that a process does. */
async function rememberExports(bench: Bench): Promise<readonly Result[]> {
  const { rounds, rows } = bench.settings;
  const [few, all] = [fewOf(rows), rows].map((count) => ({ first: 0, count }));
  if (few === undefined || all === undefined) throw new RangeError('There is nothing to export.');
  const shops = { few: await shopWith(bench, 'exported_few', few), all: await shopWith(bench, 'exported_many', all) };
  const peak = async (shop: BenchShop, numbers: Numbers) => {
    await shop.process.kill('SIGTERM');
    await shop.process.start();
    await exportFrom(shop, numbers);
    return shop.peakMib();
  };
  const measured = await interleaved(rounds, {
    baseline: () => peak(shops.few, few),
    project: () => peak(shops.all, all),
  });
  for (const shop of Object.values(shops)) await shop.close();
  const project = measured.project.map((mib, round) => mib - (measured.baseline[round] ?? Number.NaN));
  return [{ name: 'export-memory', unit: 'MiB', project, goal: { atMost: 64 }, checked: sameBytes }];
}

function fewOf(rows: number): number {
  return Math.min(fewRows, Math.ceil(rows / 2));
}

/** A shop without a product. */
async function shopWithout(bench: Bench, database: string): Promise<BenchShop> {
  await (await bench.stores()).database(database, 0);
  return bench.ownShop(database);
}

/** A shop that has these products and no others. */
async function shopWith(bench: Bench, database: string, numbers: Numbers): Promise<BenchShop> {
  const { url } = await (await bench.stores()).database(database, 0);
  await insertByHand(url, numbers);
  return bench.ownShop(database);
}

/** Products a second. */
async function insertByHand(database: string, numbers: Numbers): Promise<number> {
  const inserts: ProductInserts = { database, ...numbers };
  const { seconds } = await runProgram<ProductInsertsResult>('baselines/mysql-import.ts', inserts);
  return numbers.count / seconds;
}

/** Products a second, until the last line of the report. */
async function importInto({ url }: BenchShop, numbers: Numbers): Promise<number> {
  const { token } = await enter(url, 'admin', 'login');
  return perSecond(numbers.count, () => importNumbered({ url, token }, numbers));
}

/** Products a second, until the last byte. */
async function exportFrom({ url }: BenchShop, numbers: Numbers): Promise<number> {
  const { token } = await enter(url, 'admin', 'login');
  const headers = { authorization: `Bearer ${token}` };
  return perSecond(numbers.count, () => readExport(`${url}/api/products/export`, headers, numbers));
}

async function perSecond(count: number, run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return (count * 1000) / (performance.now() - startedAt);
}

/** @throws when a table of products has not so many rows */
async function mustHave(db: Database, count: number): Promise<void> {
  for (const table of tables) {
    const [found] = await db.rows<{ many: number }>(`SELECT COUNT(*) AS many FROM ${table}`);
    if (found?.many !== count) throw new Error(`${count} products were imported, and ${table} has ${found?.many} rows.`);
  }
}

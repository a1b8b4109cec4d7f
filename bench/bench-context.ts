import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Keeper, startKeeper } from '../test/faults/keeper.ts';
import { buildShop } from '../test/harness/built-shop.ts';
import { type BenchShop, startEmbeddedShop, startShop } from './bench-shop.ts';
import { type BenchStores, startBenchStores } from './bench-stores.ts';

export interface BenchSettings {
  readonly rounds: number;
  /** of one side in one round */
  readonly seconds: number;
  /** of an overload, whose beginning is a small part of it */
  readonly overloadSeconds: number;
  /** before the first round */
  readonly warmUpSeconds: number;
  readonly products: number;
  /** products that are imported and exported */
  readonly rows: number;
  /** where Vendure is installed once and for all; undefined: anew for the run */
  readonly vendureFolder?: string;
  /** products and orders of the shops that are compared for growth, ascending */
  readonly sizes: readonly number[];
  /** only whether everything can be measured: nothing is written into the docs */
  readonly trial: boolean;
  /** processes of the shop that answer requests, where a row does not say it */
  readonly workers: number;
}

/** What the rows share: servers are started when the first row asks for them, and end with the run. */
export interface Bench {
  readonly settings: BenchSettings;
  readonly keeper: Keeper;
  readonly folder: string;
  /** Builds the shop, once. Answers the folder that holds it as the repository would. */
  built(): Promise<string>;
  stores(): Promise<BenchStores>;
  /** on MariaDB, DynamoDB and Redis */
  shop(): Promise<BenchShop>;
  /** on its own storage */
  embeddedShop(): Promise<BenchShop>;
  /** one more on the same servers, with a database of that name and further variables; whoever asks closes it */
  ownShop(database: string, settings?: Readonly<Record<string, string>>, workers?: number): Promise<BenchShop>;
  close(): Promise<void>;
}

export function createBench(settings: BenchSettings): Bench {
  const keeper = startKeeper();
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  keeper.keepFolder(folder);
  const place = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  // into the folder of the run, since another may be measuring as well
  const built = once(async () => {
    await buildShop(folder, ['ecosystem.config.js', 'src']);
    return folder;
  });
  const stores = once(() => startBenchStores({ keeper, folder: place('stores'), products: settings.products }));
  const shop = once(async () =>
    startShop({ keeper, built: await built(), folder: place('shop'), stores: await stores(), workers: settings.workers }),
  );
  const embeddedShop = once(async () =>
    startEmbeddedShop({ keeper, built: await built(), folder: place('embedded'), products: settings.products }),
  );
  const owned: BenchShop[] = [];
  return {
    settings,
    keeper,
    folder,
    built,
    stores,
    shop,
    embeddedShop,
    ownShop: async (database, further, workers = settings.workers) => {
      const own = await startShop({
        keeper,
        built: await built(),
        folder: place(database),
        stores: await stores(),
        database,
        settings: further,
        workers,
      });
      owned.push(own);
      return own;
    },
    close: async () => {
      // a row that failed has left them
      for (const own of owned) await own.close();
      for (const started of [shop, embeddedShop]) await (await started.begun())?.close();
      await (await stores.begun())?.close();
      await keeper.close();
    },
  };
}

/** Starts it for the first who asks. `begun` answers what was started, if anything was, and starts nothing. */
function once<T>(start: () => Promise<T>): (() => Promise<T>) & { begun(): Promise<T | undefined> } {
  let started: Promise<T> | undefined;
  const get = () => {
    started ??= start();
    return started;
  };
  return Object.assign(get, { begun: async () => started?.catch(() => undefined) });
}

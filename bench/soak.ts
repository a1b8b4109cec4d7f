import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import mysql from 'mysql2/promise';
import { startKeeper } from '../test/faults/keeper.ts';
import { lastingPort } from '../test/faults/managed-program.ts';
import { buildShop } from '../test/harness/built-shop.ts';
import { type BenchShop, startEmbeddedShop, startShop } from './bench-shop.ts';
import { startBenchStores } from './bench-stores.ts';
import { describeMachine } from './machine.ts';
import { writePart } from './measured-part.ts';
import { mustBeClean, untilOutboxEmpty } from './order-check.ts';
import { inspectServer, type ServerInspector } from './server-inspector.ts';
import { startSoakLoad } from './soak-load.ts';
import { type Series, slopeOf } from './soak-slope.ts';

/**
 * `npm run soak`: the built server under a mixed load, and whether anything of it grows. Exit code 0: nothing does; 1: something grows, or
 * the time was too short to tell; 2: an answer or the data was wrong, or something is missing.
 */
const usage = `usage: npm run soak -- [--minutes 10] [--every SECONDS] [--embedded] [--trial] [--leak memory|handles|connections]

  --embedded   on the shop's own storage, which needs no other program
  --trial      says nothing of what is unclear, and writes nothing into docs/performance.md
  --leak       makes the server leak on purpose, from outside: the run has to fail
`;
const products = 1000;
/** of the time: caches fill, code is compiled */
const warmUpShare = 0.3;

/** Of a shorter run more is allowed in proportion: what warms up is a larger part of it. */
const usualMinutes = 10;
/** Growth an hour that is taken for none, and what it is measured in. */
const limits = {
  heap: { unit: 'MiB', limitPerHour: 24 },
  handles: { unit: '', limitPerHour: 100 },
  files: { unit: '', limitPerHour: 100 },
  sessions: { unit: '', limitPerHour: 100 },
  memory: { unit: 'MiB', limitPerHour: 96 },
} as const;
type Looked = Readonly<Record<keyof typeof limits, number>>;

/** Evaluated in the server, whose own program knows nothing of it. */
const leaks = {
  memory: 'globalThis.leak = []; setInterval(() => leak.push(Array.from({ length: 100000 }, Math.random)), 100).unref(); 0',
  handles: 'setInterval(() => setTimeout(() => {}, 2 ** 30).ref(), 100).unref(); 0',
  connections: `globalThis.leak = []; setInterval(() => leak.push(process.getBuiltinModule('node:net').connect(Number(process.env.PORT))), 200).unref(); 0`,
} as const;

interface Soaked {
  readonly shop: BenchShop;
  /** connections to the database */
  readonly sessions: () => Promise<number>;
  readonly close: () => Promise<void>;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      every: { type: 'string', default: '4' },
      embedded: { type: 'boolean', default: false },
      trial: { type: 'boolean', default: false },
      leak: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const [minutes, every] = [Number(values.minutes), Number(values.every)];
  const leak = values.leak === undefined ? undefined : Object.entries(leaks).find(([name]) => name === values.leak)?.[1];
  if (values.help || !(minutes > 0 && every > 0) || (values.leak !== undefined && leak === undefined)) throw new Error(usage);
  const keeper = startKeeper();
  const folder = mkdtempSync(join(tmpdir(), 'soak-'));
  keeper.keepFolder(folder);
  const inspectorPort = await lastingPort();
  const settings = { NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}` };
  try {
    await buildShop(folder, ['src']);
    const soaked = await (values.embedded ? startOnFiles : startOnServers)({ keeper, folder, settings });
    // a process with a debugger attached does not end
    const inspector = await inspectServer(inspectorPort);
    try {
      if (leak !== undefined) await inspector.evaluate(leak);
      const { series, counts } = await soak(soaked, inspector, { minutes, every });
      await untilOutboxEmpty(soaked.shop.db);
      const audited = await mustBeClean(soaked.shop.db);
      return await report({ series, counts, audited, ...{ minutes, every, trial: values.trial } });
    } finally {
      inspector.close();
      await soaked.close();
    }
  } finally {
    await keeper.close();
  }
}

interface Place {
  readonly keeper: ReturnType<typeof startKeeper>;
  readonly folder: string;
  readonly settings: Readonly<Record<string, string>>;
}

async function startOnServers({ keeper, folder, settings }: Place): Promise<Soaked> {
  const stores = await startBenchStores({ keeper, folder: join(folder, 'stores'), products });
  const shop = await startShop({ keeper, built: folder, folder, stores, settings });
  const administrator = await mysql.createConnection(stores.mariadb.url);
  return {
    shop,
    sessions: async () => {
      const [rows] = await administrator.query<mysql.RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
      return Number(rows[0]?.Value);
    },
    close: async () => {
      await administrator.end();
      await shop.close();
      await stores.close();
    },
  };
}

async function startOnFiles({ keeper, folder, settings }: Place): Promise<Soaked> {
  const shop = await startEmbeddedShop({ keeper, built: folder, folder, products, settings });
  return { shop, sessions: async () => 0, close: shop.close };
}

/** Samples are taken while the load goes on. @throws what was answered wrong */
async function soak(
  { shop, sessions }: Soaked,
  inspector: ServerInspector,
  { minutes, every }: { readonly minutes: number; readonly every: number },
) {
  const load = await startSoakLoad(shop);
  const startedAt = performance.now();
  const hours = () => (performance.now() - startedAt) / 3_600_000;
  const looks: (readonly [number, Looked])[] = [];
  const looking = (async () => {
    while (hours() < minutes / 60) {
      await pause(every * 1000);
      if (hours() < (minutes / 60) * warmUpShare) continue;
      const { heapMib: heap, handles } = await inspector.lookAtHeap();
      const files = readdirSync(`/proc/${shop.process.pid()}/fd`).length;
      looks.push([hours(), { heap, handles, files, sessions: await sessions(), memory: shop.memoryMib() }]);
    }
  })();
  await Promise.race([looking, load.failed]);
  await load.stop();
  const series = Object.entries(limits).map(([name, limit]): Series => {
    const limitPerHour = Math.round(limit.limitPerHour * Math.max(1, usualMinutes / minutes));
    return { name, unit: limit.unit, limitPerHour, samples: looks.map(([hour, look]) => [hour, look[name as keyof Looked]]) }; // the names are its own
  });
  return { series, counts: load.counts() };
}

interface Report {
  readonly series: readonly Series[];
  readonly counts: Readonly<Record<string, number>>;
  readonly audited: string;
  readonly minutes: number;
  readonly every: number;
  readonly trial: boolean;
}

async function report({ series, counts, audited, minutes, every, trial }: Report): Promise<number> {
  const slopes = series.map((one) => ({ ...one, ...slopeOf(one) }));
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const head = ['what', 'after the warm-up', 'at the end', 'growth an hour', 'limit', 'grows'];
  const verdictOf = ({ grows, isUnclear }: (typeof slopes)[number]) => {
    if (grows) return 'yes';
    return isUnclear ? 'unclear' : 'no';
  };
  const table = [
    row(head),
    row(head.map(() => '---')),
    ...slopes.map((one) => {
      const { name, unit, first, last, perHour, spread, limitPerHour } = one;
      const numbers = [first.toFixed(1), last.toFixed(1), `${perHour.toFixed(1)} ± ${spread.toFixed(1)}`, String(limitPerHour)];
      return row([name, ...numbers.map((number) => `${number} ${unit}`.trim()), verdictOf(one)]);
    }),
  ];
  const requests = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const said = `${requests.toLocaleString('en')} requests, ${(requests / minutes / 60).toFixed(0)} a second; ${audited}`;
  process.stdout.write(`${table.join('\n')}\n\n${said}\n`);
  if (!trial)
    writePart('soak', [
      `\`npm run soak -- --minutes ${minutes}\`, ${new Date().toISOString().slice(0, 10)}, a sample every ${every} s; ${said}:`,
      '',
      ...(await describeMachine()).map((line) => `- ${line}`),
      '',
      ...table,
    ]);
  return slopes.some(({ grows, isUnclear }) => grows || (isUnclear && !trial)) ? 1 : 0;
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);

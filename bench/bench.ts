import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BenchSettings, createBench } from './bench-context.ts';
import { judge, type Result, type Row } from './bench-row.ts';
import { formatTable, writeMeasured } from './result-table.ts';
import { rows } from './rows.ts';

/**
 * `npm run bench`: measures the shop beside its baselines and writes the table into docs/performance.md. Exit code 0: all goals are met;
 * 1: one is not; 2: an answer or the data was wrong, or something is missing.
 */
const usage = `usage: npm run bench -- [NAME ...] [--list] [--smoke] [--rounds N] [--seconds N] [--workers N]
                      [--rows N] [--sizes N,N,…] [--vendure FOLDER]

Measures all rows, or those that are named. Only a run of all rows is written into docs/performance.md, by one process and by two,
and each run of growth and of vendure.
  --list       names the rows
  --rows N     products that import and export are measured with, 100000 when absent; takes minutes with 1000000
  --sizes      of the shops that growth compares, 10000,100000,1000000 when absent; written into docs/performance.md as well
  --smoke      short and without a verdict: only whether everything can be measured and is right
  --vendure    a folder that keeps the Vendure that its row compares with; installed for each run when absent
  --workers N  with so many workers under pm2, instead of one process: the rows that have more than one to measure
`;
const usual: BenchSettings = {
  ...{ rounds: 5, seconds: 4, overloadSeconds: 60, warmUpSeconds: 2, products: 10_000, rows: 100_000, workers: 1 },
  ...{ sizes: [10_000, 100_000, 1_000_000], trial: false },
};
const smoke: BenchSettings = {
  ...{ rounds: 1, seconds: 0.5, overloadSeconds: 0.5, warmUpSeconds: 0.2, products: 200, rows: 600, workers: 1 },
  ...{ sizes: [300, 600], trial: true },
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      smoke: { type: 'boolean' },
      help: { type: 'boolean' },
      rounds: { type: 'string' },
      rows: { type: 'string' },
      seconds: { type: 'string' },
      sizes: { type: 'string' },
      vendure: { type: 'string' },
      workers: { type: 'string' },
    },
  });
  if (values.help) return say(usage);
  if (values.list)
    return say(rows.map(({ name, title, optIn }) => `${name.padEnd(22)} ${title}${optIn ? ' (only by name)' : ''}\n`).join(''));
  const { rounds, seconds, rows: many, workers, sizes } = values;
  const settings = {
    ...(values.smoke ? smoke : usual),
    ...numbers({ rounds, seconds, workers }),
    ...(many !== undefined && { rows: rowsOf(many) }),
    ...(values.vendure !== undefined && { vendureFolder: resolve(values.vendure) }),
    ...(sizes !== undefined && { sizes: sizesOf(sizes) }),
  };
  const chosen = choose(positionals, settings);
  const results = await measure(chosen, settings);
  say(formatTable(results));
  if (values.smoke) return 0;
  if (positionals.length === 0) writeMeasured(results, settings);
  return results.every((result) => judge(result).met) ? 0 : 1;
}

function choose(names: readonly string[], { workers }: BenchSettings): readonly Row[] {
  if (names.length === 0) return rows.filter(({ optIn, alone }) => optIn !== true && (workers === 1 || alone !== true));
  return names.map((name) => {
    const found = rows.find((row) => row.name === name);
    if (found === undefined) throw new Error(`There is no row ${name}; --list names them.`);
    if (found.alone && workers > 1) throw new Error(`The row ${name} is not for several workers.`);
    return found;
  });
}

function numbers(given: Readonly<Record<string, string | undefined>>): Partial<BenchSettings> {
  const entries = Object.entries(given).filter(([, text]) => text !== undefined);
  for (const [name, text] of entries) if (!(Number(text) > 0)) throw new Error(`--${name} has to be a number above 0`);
  return Object.fromEntries(entries.map(([name, text]) => [name, Number(text)]));
}

function sizesOf(text: string): readonly number[] {
  const sizes = text.split(',').map(Number);
  const ascending = sizes.every((size, index) => Number.isSafeInteger(size) && size > (sizes[index - 1] ?? 99));
  if (!ascending) throw new Error('--sizes has to be whole numbers from 100, ascending');
  return sizes;
}

function rowsOf(text: string): number {
  if (!Number.isSafeInteger(Number(text)) || Number(text) < 100) throw new Error('--rows has to be a whole number from 100');
  return Number(text);
}

async function measure(chosen: readonly Row[], settings: BenchSettings): Promise<readonly Result[]> {
  const bench = createBench(settings);
  const results: Result[] = [];
  try {
    await bench.built();
    for (const row of chosen) {
      const startedAt = performance.now();
      results.push(...(await row.run(bench)));
      process.stderr.write(`${row.name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`);
    }
  } finally {
    await bench.close();
  }
  return results;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
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

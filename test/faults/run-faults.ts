import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crashPoints } from '../../src/shared/crash-setting.ts';
import { catalogue } from './catalogue.ts';
import { crashEmbedded } from './embedded-crash.ts';
import { lineOf, reportOf } from './fault-report.ts';
import type { FaultResult } from './fault-run.ts';
import { runSuite, selectedRows } from './fault-suite.ts';
import { startKeeper } from './keeper.ts';
import { missingForFaults } from './missing-programs.ts';

const usage = `npm run test:faults [-- --seed 1 --rounds 1 --only F-17,F-18 --short --scale 0.5 --processes 3 --embedded]

Injects the faults of the catalogue, one after the other, into a cluster of its own under load, and holds what was seen against the
invariants. A full run goes through all rows and all crash points, on the production stores and on the embedded one, takes about
half an hour to three quarters of one a round on two cores, and writes docs/reliability.md.

  --seed N       where everything random comes from; round after round it goes up by one
  --rounds M     how often
  --only IDS     only these rows
  --short        only the rows that every run of the tests has, about four minutes
  --scale X      of the durations of the faults
  --processes P  of the shop
  --embedded     only the crash points on embedded storage

Exit codes: 0 all invariants hold, 1 one is broken, 2 usage, or a program is missing.`;

async function main(): Promise<number> {
  const options = readOptions();
  const missing = missingForFaults();
  if (options === undefined || missing.length > 0) {
    process.stderr.write(`${options === undefined ? usage : missing.join('\n')}\n`);
    return 2;
  }
  const start = performance.now();
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const embedded = options.full || options.embedded ? await onEmbedded(options.seed) : [];
  for (const result of embedded) say(lineOf(result));
  const results = options.embedded ? [] : await runSuite({ ...options, onResult: (result) => say(lineOf(result)) });
  const all = [...embedded, ...results];
  if (options.full) {
    const command = ['npm run test:faults', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
    const report = reportOf({ results: all, command, versions: versions(), tookMs: performance.now() - start });
    writeFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reliability.md'), report);
  }
  const broken = all.filter((result) => result.broken.size > 0);
  const unknowns = all.reduce((sum, result) => sum + result.unknowns, 0);
  const operations = all.reduce((sum, result) => sum + result.operations, 0);
  say(`${all.length} runs, ${operations} operations, ${unknowns} unknown at first, ${broken.length} broken`);
  return broken.length === 0 && all.length > 0 ? 0 : 1;
}

/** The crash points once more, where one process has everything in its folder. */
async function onEmbedded(seed: number): Promise<readonly FaultResult[]> {
  const keeper = startKeeper();
  const results: FaultResult[] = [];
  for (const point of crashPoints) {
    const broken = await crashEmbedded(point, keeper);
    const result = { id: 'F-04', seed, operations: 1, unknowns: 1, recoveryMs: 0, baselineMs: 0 };
    results.push({ ...result, broken: new Map(broken.length > 0 ? [['run', broken]] : []) });
  }
  await keeper.close();
  return results;
}

function versions(): readonly string[] {
  const first = (program: string, args: readonly string[]) => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return (stdout || stderr).split('\n')[0]?.trim().slice(0, 80) ?? program;
  };
  return [
    `Node ${process.version}`,
    first('mariadbd', ['--version']),
    first('redis-server', ['--version']),
    first('java', ['-version']),
  ];
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        ...{ seed: { type: 'string', default: '1' }, rounds: { type: 'string', default: '1' }, only: { type: 'string' } },
        ...{ scale: { type: 'string', default: '0.5' }, processes: { type: 'string', default: '3' } },
        ...{ short: { type: 'boolean', default: false }, embedded: { type: 'boolean', default: false } },
        help: { type: 'boolean', default: false },
      },
    });
    const { short, embedded } = values;
    const [seed = 0, rounds = 0, scale = 0, processes = 0] = [values.seed, values.rounds, values.scale, values.processes].map(
      Number,
    );
    const only = values.only?.split(',');
    const known =
      only === undefined ||
      (only.every((id) => catalogue.some((row) => row.id === id)) && selectedRows({ only, short }).length > 0);
    if (values.help || !known || ![seed, rounds, scale, processes].every((value) => value > 0)) return undefined;
    const full = only === undefined && !short && !embedded;
    return { seed, rounds, scale, processes, short, embedded, full, ...(only !== undefined && { only }) };
  } catch {
    return undefined;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);

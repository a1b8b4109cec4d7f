import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingPrograms, type Services, startServices } from '../harness/services.ts';
import { allMutants } from './all-mutants.ts';
import type { Mutant } from './mutant.ts';
import { runMutants } from './mutant-run.ts';
import { filesOf } from './tree-copy.ts';
import { summaryOf, tableOf } from './verdict-table.ts';

const usage = `npm run test:mutants [-- --only PATTERN] [--list] [--workers N]

Switches each guard of the shop off in a copy of the tree, one after the other, and runs the tests that have to notice it.
A full run takes about 10 minutes on two quiet cores. MariaDB and DynamoDB Local are started once for all of it.

  --only PATTERN  only guards whose name or file matches this regular expression
  --list          names the guards and their tests, and runs nothing
  --workers N     copies of the tree that are worked on at the same time, 2 when absent

Exit codes: 0 every mutant was killed, 1 some were not, 2 usage or setup.`;

const root = join(import.meta.dirname, '..', '..');

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
      workers: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    },
  });
  if (values.help) return say(usage, 0);
  const workers = Number(values.workers);
  if (!Number.isSafeInteger(workers) || workers < 1) return say(usage, 2);
  const only = new RegExp(values.only ?? '', 'i');
  const mutants = allMutants.filter(({ guard, file }) => only.test(guard) || only.test(file));
  if (mutants.length === 0) return say(`No guard matches ${only}.`, 2);
  if (values.list) return say(mutants.map(entryOf).join('\n'), 0);
  return tryAll(mutants, workers);
}

async function tryAll(mutants: readonly Mutant[], workers: number): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort(new Error(signal)));
  const needsServices = mutants.some(({ noticedBy }) => noticedBy.some(({ project }) => project === 'services'));
  const services = needsServices ? await openServices() : undefined;
  try {
    const verdicts = await runMutants({
      root,
      files: filesOf(root),
      mutants,
      workers,
      variables: services?.variables ?? {},
      signal: stopping.signal,
      onProgress: (line) => process.stderr.write(`${line}\n`),
    });
    return say(`${tableOf(verdicts)}\n${summaryOf(verdicts)}`, verdicts.every(({ verdict }) => verdict === 'killed') ? 0 : 1);
  } finally {
    await services?.stop();
  }
}

async function openServices(): Promise<Services> {
  const missing = missingPrograms();
  if (missing.length > 0) throw new Error(`missing: ${missing.map(({ program }) => program).join(', ')}`);
  return startServices();
}

function entryOf({ guard, file, noticedBy }: Mutant): string {
  return [guard, `  in ${file}`, ...noticedBy.map(({ project, file: suite, name }) => `  ${project} ${suite}: ${name}`)].join(
    '\n',
  );
}

function say(text: string, code: number): number {
  process.stdout.write(`${text}\n`);
  return code;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);

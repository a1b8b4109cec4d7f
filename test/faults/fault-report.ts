import { cpus } from 'node:os';
import { type CatalogueRow, catalogue } from './catalogue.ts';
import { checkedElsewhere, checkers } from './checkers.ts';
import type { FaultResult } from './fault-run.ts';

/** One line of a running suite. */
export function lineOf({ id, seed, operations, unknowns, recoveryMs, baselineMs, broken }: FaultResult): string {
  const recovery = seconds(recoveryMs);
  const head = `${id}  seed ${seed}  ${String(operations).padStart(5)} operations  ${String(unknowns).padStart(4)} unknown  recovery ${recovery} (${seconds(baselineMs)} before)`;
  if (broken.size === 0) return `${head}  all hold`;
  const lines = [...broken].flatMap(([invariant, what]) => what.slice(0, 5).map((text) => `      ${invariant}: ${text}`));
  return [`${head}  BROKEN: ${[...broken.keys()].join(', ')}`, ...lines].join('\n');
}

export interface ReportOptions {
  readonly results: readonly FaultResult[];
  readonly command: string;
  readonly versions: readonly string[];
  readonly tookMs: number;
}

/** The page docs/reliability.md. */
export function reportOf({ results, command, versions, tookMs }: ReportOptions): string {
  const sum = (of: (result: FaultResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const brokenRuns = results.filter(({ broken }) => broken.size > 0).length;
  const slowest = Math.max(0, ...results.map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY));
  return `${[
    ...introduction,
    '## The last full run',
    '',
    `\`${command}\`, ${Math.round(tookMs / 60_000)} minutes, on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${versions.join(', ')}.`,
    '',
    `${results.length} runs, ${sum(({ operations }) => operations).toLocaleString('en-GB')} operations, ${sum(({ unknowns }) => unknowns).toLocaleString('en-GB')} of them with an unknown outcome at first;`,
    `${brokenRuns === 0 ? 'every invariant held in every run' : `an invariant was broken in ${brokenRuns} runs`}; the slowest recovery took ${(slowest / 1000).toFixed(1)} s.`,
    '',
    '| fault | what | how | seeds | operations | unknown | recovery (before) | invariants |',
    '|---|---|---|---|---|---|---|---|',
    ...catalogue.map((row) => tableRow(row, results)),
    '',
    '## Invariants',
    '',
    'Looked at after each fault; `test/fault-checkers.test.ts` shows each checker the evidence that breaks it.',
    '',
    '| invariant | promise |',
    '|---|---|',
    ...checkers.map(({ invariant, promise }) => `| ${invariant} | ${promise} |`),
    '',
    'Elsewhere:',
    '',
    ...checkedElsewhere.map(({ invariant, elsewhere }) => `- ${invariant}: ${elsewhere}`),
  ].join('\n')}\n`;
}

function tableRow(row: CatalogueRow, results: readonly FaultResult[]): string {
  if ('notInjectable' in row) return `| ${row.id} | ${row.title} | not injectable here: ${row.notInjectable} | | | | | |`;
  if ('coveredBy' in row) {
    const tests = row.coveredBy.map(({ file, title }) => `\`${file}\`: ${title}`).join('; ');
    return `| ${row.id} | ${row.title} | covered by ${tests} | | | | | |`;
  }
  const own = results.filter(({ id }) => id === row.id);
  if (own.length === 0) return `| ${row.id} | ${row.title} | not run | | | | | |`;
  const sum = (of: (result: FaultResult) => number) => own.reduce((total, result) => total + of(result), 0);
  const slowest = Math.max(...own.map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY));
  const broken = [...new Set(own.flatMap(({ broken: found }) => [...found.keys()]))];
  const seeds = [...new Set(own.map(({ seed }) => seed))].join(', ');
  const cells = [
    row.id,
    row.title,
    `run: ${Object.keys(row.runs).join(', ')}`,
    seeds,
    sum(({ operations }) => operations),
    sum(({ unknowns }) => unknowns),
    `${seconds(Number.isFinite(slowest) ? slowest : undefined)} (${seconds(Math.max(...own.map(({ baselineMs }) => baselineMs)))})`,
    broken.length === 0 ? 'all hold' : `broken: ${broken.join(', ')}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? 'never' : `${(ms / 1000).toFixed(1)} s`;
}

const introduction = [
  '# Reliability',
  '',
  '`npm run test:faults` injects every fault of the table below, one after the other, into three processes of the shop on MariaDB,',
  'Redis, DynamoDB Local and a stand-in for SQS, whose data is on disk and survives a kill. Each process reaches each store through a',
  'proxy of its own, which can hold, refuse, delay, garble or cut, also exactly before or after a COMMIT. Users browse, buy, cancel and',
  'sign in and staff edit, count and ship all the time; what each was told is written down as ok, a definite refusal, or unknown, and',
  'what is unknown is asked again under the same key until it is definite. When the fault is over, everything has to work again on every',
  'process within ten seconds; then the history, every process and the audit are held against the invariants.',
  '',
  'Everything random comes from the seed. `npm run test:faults -- --only F-17,F-18 --seed 7` runs a row again; `--help` tells the rest.',
  '`npm test` runs one seed of the short ones. `npm run test:replay -- FILE.csv.gz` is the same with a month of real orders.',
  'The tests’ program gives the shop shorter pauses for its background tasks and cheap password hashes; all else is as in production.',
  '',
];

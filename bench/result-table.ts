import type { BenchSettings } from './bench-context.ts';
import { type Goal, judge, type Result } from './bench-row.ts';
import { writePart } from './measured-part.ts';

const head = ['row', 'baseline', 'project', 'ratio', 'goal', 'spread', 'met'] as const;

function cellsOf(result: Result): readonly string[] {
  const { baseline, project, value, lowest, highest, met } = judge(result);
  return [
    result.name,
    baseline === undefined ? '' : `${short(baseline)} ${result.unit}`.trim(),
    `${short(project)} ${result.unit}`.trim(),
    baseline === undefined ? '' : short(value),
    goalText(result.goal),
    `${short(lowest)} … ${short(highest)}`,
    met ? 'yes' : 'no',
  ];
}

function goalText(goal: Goal): string {
  return 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
}

function short(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** For the terminal. */
export function formatTable(results: readonly Result[]): string {
  const lines = [head, ...results.map(cellsOf)];
  const widths = head.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map(
      (cells) =>
        `${cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Puts the table, and what it was measured with, into the part of docs/performance.md that is for it. */
export function writeMeasured({
  results,
  machine,
  settings: { rounds, seconds, products, rows, workers },
}: {
  readonly results: readonly Result[];
  readonly machine: readonly string[];
  readonly settings: BenchSettings;
}): void {
  if (workers !== 1 && workers !== 2) throw new Error('Only runs with one worker and with two are written down.');
  const command = workers === 1 ? 'npm run bench' : `npm run bench -- --workers ${workers}`;
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const many = (count: number) => count.toLocaleString('en');
  // imports and exports are for one process
  const sizes = workers === 1 ? `${many(products)} products, ${many(rows)} in imports and exports` : `${many(products)} products`;
  writePart(workers === 1 ? 'measured' : 'twoWorkers', [
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds of ${seconds} s a side, ${sizes}:`,
    '',
    ...machine.map((line) => `- ${line}`),
    '',
    row(head),
    row(head.map(() => '---')),
    ...results.map((result) => row(cellsOf(result))),
  ]);
}

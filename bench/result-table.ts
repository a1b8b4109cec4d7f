import type { BenchSettings } from './bench-context.ts';
import { type Goal, judge, type Result } from './bench-row.ts';
import { describeMachine } from './machine.ts';
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

/** Puts the table of a run of all rows into the part of docs/performance.md that is for it. */
export function writeMeasured(results: readonly Result[], settings: BenchSettings): void {
  const { products, rows, workers } = settings;
  if (workers !== 1 && workers !== 2) throw new Error('Only runs with one worker and with two are written down.');
  const one: Sizes = [[products, 'products']];
  if (workers === 2) writeResults('twoWorkers', { results, settings, command: 'npm run bench -- --workers 2', sizes: one });
  // imports and exports are for one process
  const both: Sizes = [...one, [rows, 'in imports and exports']];
  if (workers === 1) writeResults('measured', { results, settings, command: 'npm run bench', sizes: both });
}

type Sizes = readonly (readonly [number, string])[];

/** Puts a table, and what it was measured with, into a part of docs/performance.md. */
export function writeResults(
  part: Parameters<typeof writePart>[0],
  {
    results,
    settings: { rounds, seconds },
    command,
    sizes,
  }: {
    readonly results: readonly Result[];
    readonly settings: BenchSettings;
    readonly command: string;
    /** how many of what */
    readonly sizes: Sizes;
  },
): void {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const measuredWith = sizes.map(([count, what]) => `${count.toLocaleString('en')} ${what}`).join(', ');
  writePart(part, [
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds of ${seconds} s a side, ${measuredWith}:`,
    '',
    ...describeMachine().map((line) => `- ${line}`),
    '',
    row(head),
    row(head.map(() => '---')),
    ...results.map((result) => row(cellsOf(result))),
  ]);
}

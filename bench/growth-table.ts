import type { BenchSettings } from './bench-context.ts';
import { judge, percentile } from './bench-row.ts';
import { growthOperations } from './growth-operations.ts';
import type { GrownShop } from './growth-shop.ts';
import { describeMachine } from './machine.ts';
import { writePart } from './measured-part.ts';

/** of the largest shop to the smallest */
export const growthGoal = { atMost: 1.2 };

/** What one operation cost in one portion of a round on one size, for each request. */
export interface GrowthCell {
  readonly operation: string;
  readonly size: number;
  readonly round: number;
  /** processor time of shop and database */
  readonly microseconds: number;
  /** the database's part of it */
  readonly database: number;
  /** rows that the database read */
  readonly rows: number;
  /** milliseconds until the answer, of each request */
  readonly waits: readonly number[];
}

const legend =
  'Each cell: µs of processor time (of them the database), ms until the answer, rows read; the ratio is that of the µs.';

/** Prints sizes by operations, and writes them into docs/performance.md unless the run is only a trial. */
export function reportGrowth({
  cells,
  shops,
  settings: { sizes, rounds, trial },
}: {
  readonly cells: readonly GrowthCell[];
  readonly shops: readonly GrownShop[];
  readonly settings: BenchSettings;
}): void {
  const titles = new Map(growthOperations.map(({ name, title }) => [name, title]));
  const row = (texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  const operations = [...new Set(cells.map(({ operation }) => operation))];
  const head = ['operation', ...sizes.map(named), 'ratio', 'met'];
  const table = [
    row(head),
    row(head.map(() => '---')),
    ...operations.map((operation) => {
      const of = (size: number) => cells.filter((cell) => cell.operation === operation && cell.size === size);
      const values = sizes.map((size) => textOf(of(size)));
      return row([operation, ...values, ...verdict(of(Math.min(...sizes)), of(Math.max(...sizes)))]);
    }),
  ];
  process.stdout.write(`${legend}\n${table.join('\n')}\n\n`);
  if (trial) return;
  writePart('growth', [
    `\`npm run bench -- growth\`, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds; ${shops
      .map(({ size, seconds }) => `${named(size)} filled in ${seconds.fill.toFixed(0)} s`)
      .join(', ')}:`,
    '',
    ...describeMachine().map((line) => `- ${line}`),
    '',
    legend,
    '',
    ...table,
    '',
    ...operations.map((operation) => `- \`${operation}\`: ${titles.get(operation) ?? 'the audit, for each row that it counts'}`),
  ]);
}

function named(size: number): string {
  return size.toLocaleString('en');
}

function textOf(cells: readonly GrowthCell[]): string {
  const middle = (of: (cell: GrowthCell) => number) => percentile(cells.map(of), 0.5);
  const wait = percentile(
    cells.flatMap(({ waits }) => waits),
    0.5,
  );
  const [total, database] = [middle(({ microseconds }) => microseconds), middle((cell) => cell.database)];
  return `${total.toFixed(digitsOf(total))} (${database.toFixed(digitsOf(database))}), ${wait.toFixed(wait < 0.1 ? 4 : 2)}, ${middle(({ rows }) => rows).toFixed(1)}`;
}

function digitsOf(microseconds: number): number {
  return microseconds < 100 ? 1 : 0;
}

function verdict(smallest: readonly GrowthCell[], largest: readonly GrowthCell[]): readonly string[] {
  const sides = { baseline: microsecondsByRound(smallest), project: microsecondsByRound(largest) };
  const { value, lowest, highest, met } = judge({ name: '', unit: '', goal: growthGoal, ...sides });
  return [`${value.toFixed(2)} (${lowest.toFixed(2)} … ${highest.toFixed(2)})`, met ? 'yes' : 'no'];
}

/** The middle of the portions of each round: a portion into which a disturbance fell does not count. */
export function microsecondsByRound(cells: readonly GrowthCell[]): readonly number[] {
  return [...Map.groupBy(cells, ({ round }) => round).values()].map((portions) =>
    percentile(
      portions.map(({ microseconds }) => microseconds),
      0.5,
    ),
  );
}

import type { Verdict } from './verdict.ts';

const head = ['verdict', 'seconds', 'guard', 'tests'];

/** One line for each mutant; what the tests said of one that was not killed stands below it. */
export function tableOf(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ mutant, verdict, seconds }) => [
    verdict,
    seconds.toFixed(1),
    mutant.guard,
    mutant.noticedBy.map(({ project, file, name }) => `${project} ${file}: ${name}`).join('; '),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [lineOf(head), ...rows.flatMap((row, index) => [lineOf(row), ...reasonsOf(verdicts[index])])].join('\n');
}

function reasonsOf(verdict: Verdict | undefined): readonly string[] {
  return verdict === undefined || verdict.verdict === 'killed' ? [] : [`  ${verdict.mutant.file}: ${verdict.reason}`];
}

export function summaryOf(verdicts: readonly Verdict[]): string {
  const count = (wanted: Verdict['verdict']) => verdicts.filter(({ verdict }) => verdict === wanted).length;
  return `${verdicts.length} mutants: ${count('killed')} killed, ${count('survived')} survived, ${count('invalid')} invalid`;
}

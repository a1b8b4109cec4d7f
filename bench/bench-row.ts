import type { Bench } from './bench-context.ts';

/** What a ratio, or a value where there is no baseline, has to be. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** One line of the table: values by round, the same number of each. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  /** absent: the project's value itself is compared with the goal */
  readonly baseline?: readonly number[];
  readonly project: readonly number[];
  readonly goal: Goal;
  /** what the answers and the data were checked for */
  readonly checked?: string;
}

/** Something to measure, by a name that `npm run bench -- NAME` knows. */
export interface Row {
  readonly name: string;
  /** what is compared with what */
  readonly title: string;
  /** runs only when it is named */
  readonly optIn?: boolean;
  /** measures the shop as one process, however many are asked for */
  readonly alone?: boolean;
  /** @throws when an answer was wrong, or the data afterwards is */
  readonly run: (bench: Bench) => Promise<readonly Result[]>;
}

export interface Verdict {
  readonly baseline: number | undefined;
  readonly project: number;
  /** of the project to the baseline, else the project's own value */
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  readonly met: boolean;
}

/** The value of a round is the ratio to the baseline of the same round, so that a machine that changes meanwhile matters little. */
export function judge({ baseline, project, goal }: Result): Verdict {
  const values = project.map((value, round) => (baseline === undefined ? value : value / (baseline[round] ?? Number.NaN)));
  const value = median(values);
  return {
    baseline: baseline === undefined ? undefined : median(baseline),
    project: median(project),
    value,
    lowest: Math.min(...values),
    highest: Math.max(...values),
    met: 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost,
  };
}

/** @throws RangeError of nothing */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError('There is no median of nothing.');
  return (low + high) / 2;
}

/** The share `part` of the values is not above it. @throws RangeError of nothing */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (found === undefined) throw new RangeError('There is no percentile of nothing.');
  return found;
}

/** Measures both sides round by round, each first in turn. */
export async function interleaved<Measured>(
  rounds: number,
  sides: { readonly baseline: () => Promise<Measured>; readonly project: () => Promise<Measured> },
): Promise<{ readonly baseline: readonly Measured[]; readonly project: readonly Measured[] }> {
  const measured: { baseline: Measured[]; project: Measured[] } = { baseline: [], project: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? (['baseline', 'project'] as const) : (['project', 'baseline'] as const))
      measured[side].push(await sides[side]());
  }
  return measured;
}

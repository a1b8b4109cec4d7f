/** Something that must not grow, as sampled. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  /** growth an hour that is still taken for none */
  readonly limitPerHour: number;
  /** hours since the start, and the value then; in the order of time */
  readonly samples: readonly (readonly [number, number])[];
}

export interface Slope {
  readonly first: number;
  readonly last: number;
  readonly perHour: number;
  /** twice the standard error of `perHour` */
  readonly spread: number;
  /** it is beyond the limit, also at the lower end of the spread */
  readonly grows: boolean;
  /** the spread leaves open whether it is beyond the limit */
  readonly isUnclear: boolean;
}

const blockCount = 10;

/**
 * A line through the lowest samples of ten equal stretches of time (least squares): what requests under way hold comes on top of what
 * stays, and neighbouring samples are alike, so each stretch counts once. @throws RangeError with fewer samples than stretches
 */
export function slopeOf({ samples, limitPerHour }: Pick<Series, 'samples' | 'limitPerHour'>): Slope {
  if (samples.length < blockCount) throw new RangeError(`${samples.length} samples are too few to tell.`);
  const points = Array.from({ length: blockCount }, (_, block) => {
    const from = Math.floor((block * samples.length) / blockCount);
    const some = samples.slice(from, Math.floor(((block + 1) * samples.length) / blockCount));
    const [hour, value] = some.reduce((lowest, sample) => (sample[1] < lowest[1] ? sample : lowest));
    return { hour, value };
  });
  const mean = (of: (point: { hour: number; value: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [hour, value] = [mean((point) => point.hour), mean((point) => point.value)];
  const spreadOfHours = mean((point) => (point.hour - hour) ** 2);
  const perHour = mean((point) => (point.hour - hour) * (point.value - value)) / spreadOfHours;
  const residual = mean((point) => (point.value - value - perHour * (point.hour - hour)) ** 2);
  const spread = 2 * Math.sqrt(residual / spreadOfHours / (points.length - 2));
  return {
    ...{ first: points[0]?.value ?? 0, last: points.at(-1)?.value ?? 0, perHour, spread },
    grows: perHour - spread > limitPerHour,
    isUnclear: perHour - spread <= limitPerHour && perHour + spread > limitPerHour,
  };
}

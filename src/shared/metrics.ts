import type { Logger } from 'pino';

export type MetricUnit = 'Count' | 'Milliseconds' | 'Seconds';

/** The metrics of a program by name. */
export type MetricUnits = Readonly<Record<string, MetricUnit>>;

/** At most one dimension, such as `{RouteClass: 'orders'}`: each value of it is a metric of its own, and costs like one. */
export type Dimension = Readonly<Record<string, string>>;

export interface Metrics<Name extends string> {
  /** adds to a sum */
  count(name: Name, by?: number, dimension?: Dimension): void;
  /** notes one value of a distribution, or of something that is looked at now and then */
  note(name: Name, value: number, dimension?: Dimension): void;
  /** Writes what there is, for the last time. */
  close(): void;
}

interface Distribution {
  readonly values: number[];
  seen: number;
}

interface Bucket {
  readonly dimension: Dimension;
  readonly sums: Map<string, number>;
  readonly distributions: Map<string, Distribution>;
}

/** a limit of the format */
const mostValues = 100;
const defaultEveryMs = 60_000;

/**
 * Collects metrics and writes them into the log once a minute, in CloudWatch's Embedded Metric Format: one line for each dimension,
 * however many requests there were. Of a distribution at most 100 values are kept, each seen one with the same chance (Vitter,
 * Random sampling with a reservoir, 1985).
 */
export function createMetrics<Name extends string>({
  namespace,
  units,
  log,
  everyMs = defaultEveryMs,
  random = Math.random,
}: {
  readonly namespace: string;
  readonly units: Readonly<Record<Name, MetricUnit>>;
  readonly log: Pick<Logger, 'info'>;
  readonly everyMs?: number;
  readonly random?: () => number;
}): Metrics<Name> {
  let buckets = new Map<string, Bucket>();

  const bucketOf = (dimension: Dimension = {}): Bucket => {
    const key = Object.values(dimension).join();
    const found = buckets.get(key);
    if (found !== undefined) return found;
    const made = { dimension, sums: new Map<string, number>(), distributions: new Map<string, Distribution>() };
    buckets.set(key, made);
    return made;
  };
  const write = () => {
    const written = buckets;
    buckets = new Map();
    for (const bucket of written.values()) log.info(lineOf({ bucket, namespace, units }), 'metrics');
  };
  const timer = setInterval(write, everyMs);
  timer.unref();

  return {
    count: (name, by = 1, dimension) => {
      const { sums } = bucketOf(dimension);
      sums.set(name, (sums.get(name) ?? 0) + by);
    },
    note: (name, value, dimension) => {
      const { distributions } = bucketOf(dimension);
      const distribution = distributions.get(name) ?? { values: [], seen: 0 };
      distributions.set(name, distribution);
      distribution.seen += 1;
      const place = distribution.seen <= mostValues ? distribution.seen - 1 : Math.floor(random() * distribution.seen);
      if (place < mostValues) distribution.values[place] = value;
    },
    close: () => {
      clearInterval(timer);
      write();
    },
  };
}

function lineOf({
  bucket: { dimension, sums, distributions },
  namespace,
  units,
}: {
  bucket: Bucket;
  namespace: string;
  units: MetricUnits;
}) {
  const names = [...sums.keys(), ...distributions.keys()];
  return {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [Object.keys(dimension)],
          Metrics: names.map((Name) => ({ Name, Unit: units[Name] })),
        },
      ],
    },
    ...dimension,
    ...Object.fromEntries(sums),
    ...Object.fromEntries([...distributions].map(([name, { values }]) => [name, values])),
  };
}

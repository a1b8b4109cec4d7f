import { z } from 'zod';

/** CloudWatch's Embedded Metric Format, as strict as its specification. */
const metadata = z.object({
  Timestamp: z.int().positive(),
  CloudWatchMetrics: z
    .array(
      z.strictObject({
        Namespace: z.string().min(1).max(255),
        Dimensions: z.array(z.array(z.string().min(1).max(250)).max(30)).min(1),
        Metrics: z
          .array(z.strictObject({ Name: z.string().min(1).max(1024), Unit: z.enum(['Count', 'Milliseconds', 'Seconds']) }))
          .max(100),
      }),
    )
    .min(1),
});
const metricValue = z.union([z.number(), z.array(z.number()).min(1).max(100)]);

export interface ReadMetric {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly dimension: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** What CloudWatch makes of a line of the log. @throws on one that it would not understand; a line without metrics has none */
export function readMetrics(line: string): readonly ReadMetric[] {
  const members: Record<string, unknown> = JSON.parse(line);
  if (members._aws === undefined) return [];
  if (Buffer.byteLength(line) > 1024 * 1024) throw new Error('The line is too long.');
  return metadata.parse(members._aws).CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const dimension = Object.fromEntries(names.map((name) => [name, z.string().min(1).max(1024).parse(members[name])]));
      return Metrics.map(({ Name, Unit }) => {
        const values = [metricValue.parse(members[Name])].flat();
        return { namespace: Namespace, name: Name, unit: Unit, dimension, values };
      });
    }),
  );
}

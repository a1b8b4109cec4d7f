import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Cache } from './cache.ts';

/** One metric for each node. */
export function cacheMetrics({ nodeIds }: Pick<Cache, 'nodeIds'>, metricName: string): readonly Metric[] {
  return nodeIds.map(
    (CacheClusterId) =>
      new Metric({
        namespace: 'AWS/ElastiCache',
        metricName,
        dimensionsMap: { CacheClusterId },
        statistic: 'Maximum',
        period: Duration.minutes(1),
        label: `${metricName} ${CacheClusterId}`,
      }),
  );
}

import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { metricNamespace, type RouteClass, type ShopMetricName, shopMetrics } from './metrics.ts';

export interface ShopMetricOptions {
  /** of CloudWatch: `Sum`, `Maximum`, `p99`, `PR(:500)` */
  readonly statistic: string;
  readonly routeClass?: RouteClass;
  readonly period?: Duration;
}

/** @throws when a metric by route class is asked for without one, or another with one: CloudWatch would show nothing */
export function shopMetric(
  name: ShopMetricName,
  { statistic, routeClass, period = Duration.minutes(1) }: ShopMetricOptions,
): Metric {
  if (shopMetrics[name].dimensions.length > 0 !== (routeClass !== undefined)) throw new Error(`${name}: wrong dimensions`);
  return new Metric({
    namespace: metricNamespace,
    metricName: name,
    statistic,
    period,
    ...(routeClass !== undefined && { dimensionsMap: { RouteClass: routeClass }, label: `${name} ${routeClass}` }),
  });
}

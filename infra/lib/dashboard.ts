import { Duration, type Stack } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { balancerCounts, failedShare } from './balancer-metrics.ts';
import { cacheMetrics } from './cache-metrics.ts';
import type { DataStack } from './data-stack.ts';
import { routeClasses } from './metrics.ts';
import type { ServiceStack } from './service-stack.ts';
import { shopMetric } from './shop-metric.ts';

export interface DashboardOptions {
  readonly name: string;
  readonly data: DataStack;
  readonly service: ServiceStack;
}

/** From what customers feel, at the top, down to the stores. */
export function createDashboard(stack: Stack, options: DashboardOptions): void {
  const heading = '**Customers** first, then **orders and events**, **tasks**, **stores**. Alarms lead to docs/runbook.md.';
  new Dashboard(stack, 'Dashboard', {
    dashboardName: options.name,
    periodOverride: PeriodOverride.AUTO,
    defaultInterval: Duration.hours(3),
    widgets: [
      [new TextWidget({ markdown: heading, width: 24, height: 1 })],
      customers(options),
      ordersAndEvents(options),
      tasks(options),
      stores(options),
    ],
  });
}

function customers({ service }: DashboardOptions): IWidget[] {
  const { balancer } = service.balancer;
  const { requests, shopErrors, balancerErrors } = balancerCounts(balancer);
  const byClass = (name: 'Requests' | 'Errors', statistic: string) =>
    routeClasses.map((routeClass) => shopMetric(name, { statistic, routeClass }));
  const latencies = routeClasses.flatMap((routeClass) =>
    ['p50', 'p99'].map((statistic) =>
      shopMetric('LatencyMs', { statistic, routeClass }).with({ label: `${routeClass} ${statistic}` }),
    ),
  );
  return [
    graph('Requests', [requests, ...byClass('Requests', 'Sum')]),
    graph('Failures', [shopErrors, balancerErrors, ...byClass('Errors', 'Sum')], [failedShare(balancer, Duration.minutes(5))]),
    graph('Latency, ms', latencies),
  ];
}

function ordersAndEvents({ data: { queues } }: DashboardOptions): IWidget[] {
  const ofQueue = (metricName: string, QueueName: string) =>
    new Metric({
      namespace: 'AWS/SQS',
      metricName,
      dimensionsMap: { QueueName },
      statistic: 'Maximum',
      period: Duration.minutes(1),
    });
  return [
    graph('Orders', [shopMetric('Orders', { statistic: 'Sum' }), shopMetric('OutOfStock', { statistic: 'Sum' })]),
    graph('Age of events, s', [
      shopMetric('OutboxAgeSeconds', { statistic: 'Maximum' }),
      shopMetric('QueueAgeSeconds', { statistic: 'p99' }),
      ofQueue('ApproximateAgeOfOldestMessage', queues.events.queueName),
    ]),
    graph('To look at', [
      shopMetric('DeadLetters', { statistic: 'Maximum' }),
      ofQueue('ApproximateNumberOfMessagesVisible', queues.deadLetters.queueName).with({ label: 'dead letters of the queue' }),
      shopMetric('AuditFindings', { statistic: 'Maximum' }),
    ]),
  ];
}

function tasks({ service: { services, balancer } }: DashboardOptions): IWidget[] {
  const { api, worker } = services;
  return [
    graph(
      'Processors, %',
      [api, worker].map((each) => each.metricCpuUtilization()),
      [balancer.targets.metrics.healthyHostCount()],
    ),
    graph(
      'Memory, %',
      [api, worker].map((each) => each.metricMemoryUtilization()),
    ),
    graph('Overload', [shopMetric('Sheds', { statistic: 'Sum' })], [shopMetric('PoolWaitMs', { statistic: 'p99' })]),
  ];
}

function stores({ data: { database, cache } }: DashboardOptions): IWidget[] {
  const hits = shopMetric('CacheHits', { statistic: 'Sum' });
  const misses = shopMetric('CacheMisses', { statistic: 'Sum' });
  const hitShare = new MathExpression({
    expression: '100 * hits / (hits + misses)',
    usingMetrics: { hits, misses },
    label: 'answered from a copy, %',
    period: Duration.minutes(1),
  });
  return [
    graph('Database', [database.cluster.metricCPUUtilization()], [database.cluster.metricDatabaseConnections()]),
    graph('Copies of products', [hits, misses], [hitShare]),
    graph(
      'Cache, %',
      ['EngineCPUUtilization', 'DatabaseMemoryUsagePercentage'].flatMap((name) => cacheMetrics(cache, name)),
    ),
  ];
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: 8, height: 6 });
}

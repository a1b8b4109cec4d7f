import { Duration, type Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type AlarmOptions, createAlarm } from './alarm.ts';
import { cacheMetrics } from './cache-metrics.ts';
import type { DataStack } from './data-stack.ts';
import { createObjectiveAlarms } from './objectives.ts';
import type { ServiceStack } from './service-stack.ts';
import type { Settings } from './settings.ts';
import { shopMetric } from './shop-metric.ts';

export interface AlarmsOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly data: DataStack;
  readonly service: ServiceStack;
  readonly operators: ITopic;
}

/** AUDIT_INTERVAL_SECONDS of the shop, which it is not told otherwise here */
const auditInterval = Duration.hours(1);

type Rule = Omit<AlarmOptions, 'name'>;

/** Each one names a section of docs/runbook.md; a test compares both lists. */
export function createAlarms(stack: Stack, options: AlarmsOptions): void {
  const { name, service, operators } = options;
  const heard = [
    ...createObjectiveAlarms(stack, name, service.balancer.balancer),
    ...[...frontRules(options), ...eventRules(options), ...storeRules(options)].map((rule) =>
      createAlarm(stack, { ...rule, name }),
    ),
  ];
  const action = new SnsAction(operators);
  for (const alarm of heard) {
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
}

function frontRules({ service: { balancer, services }, settings }: AlarmsOptions): readonly Rule[] {
  const healthy = balancer.targets.metrics.healthyHostCount({ statistic: 'Minimum', period: Duration.minutes(1) });
  return [
    {
      id: 'too-few-targets',
      title: 'Fewer tasks answer than there should be at least',
      metric: healthy,
      threshold: settings.api.minTasks,
      below: true,
      periods: 5,
      silenceIsBad: true,
    },
    {
      id: 'api-cpu',
      title: 'The api tasks are busy although they may scale',
      metric: services.api.metricCpuUtilization({ period: Duration.minutes(1) }),
      threshold: 85,
      periods: 10,
    },
    {
      id: 'sheds',
      title: 'Requests are refused for overload',
      metric: shopMetric('Sheds', { statistic: 'Sum' }),
      threshold: 60,
      periods: 3,
    },
    {
      id: 'pool-wait',
      title: 'Statements wait for a connection',
      metric: shopMetric('PoolWaitMs', { statistic: 'p99' }),
      threshold: 200,
      periods: 5,
    },
  ];
}

function eventRules({ data: { queues } }: AlarmsOptions): readonly Rule[] {
  const ofQueue = (metricName: string, queue: keyof typeof queues) =>
    new Metric({
      namespace: 'AWS/SQS',
      metricName,
      dimensionsMap: { QueueName: queues[queue].queueName },
      statistic: 'Maximum',
      period: Duration.minutes(1),
    });
  return [
    {
      id: 'outbox-age',
      title: 'Events stay in the outbox, or no worker says how long',
      metric: shopMetric('OutboxAgeSeconds', { statistic: 'Maximum' }),
      threshold: 30,
      periods: 3,
      // Every worker reports it each minute, so silence means that there is no worker.
      silenceIsBad: true,
    },
    {
      id: 'queue-age',
      title: 'Events stay in the queue',
      metric: ofQueue('ApproximateAgeOfOldestMessage', 'events'),
      threshold: 60,
      periods: 3,
    },
    {
      id: 'slow-events',
      title: 'Events are handled late',
      metric: shopMetric('QueueAgeSeconds', { statistic: 'p99', period: Duration.minutes(5) }),
      threshold: 5,
      periods: 3,
    },
    {
      id: 'dead-letters-queue',
      title: 'The queue has put messages aside',
      metric: ofQueue('ApproximateNumberOfMessagesVisible', 'deadLetters'),
      threshold: 0,
      periods: 1,
    },
    {
      id: 'dead-letters-outbox',
      title: 'The outbox has put events aside',
      metric: shopMetric('DeadLetters', { statistic: 'Maximum' }),
      threshold: 0,
      periods: 1,
    },
    {
      id: 'audit-findings',
      title: 'Rows break a promise of the shop',
      metric: shopMetric('AuditFindings', { statistic: 'Maximum', period: auditInterval }),
      threshold: 0,
      periods: 1,
    },
    {
      id: 'audit-missing',
      title: 'No audit has come to its end for three hours',
      metric: shopMetric('AuditFindings', { statistic: 'SampleCount', period: auditInterval }),
      threshold: 1,
      below: true,
      periods: 3,
      silenceIsBad: true,
    },
  ];
}

function storeRules({ data: { database, cache, tables }, settings }: AlarmsOptions): readonly Rule[] {
  const minute: MetricOptions = { period: Duration.minutes(1) };
  const ofCache = (metricName: string) =>
    new MathExpression({
      expression: 'MAX(METRICS())',
      usingMetrics: Object.fromEntries(cacheMetrics(cache, metricName).map((metric, place) => [`m${place}`, metric])),
      ...minute,
      label: metricName,
    });
  const throttled = tables.flatMap((table) =>
    ['ReadThrottleEvents', 'WriteThrottleEvents'].map((metricName) => table.metric(metricName, { statistic: 'Sum', ...minute })),
  );
  const byLetter = Object.fromEntries(throttled.map((metric, place) => [`t${place}`, metric]));
  return [
    {
      id: 'database-cpu',
      title: 'The database is busy',
      metric: database.cluster.metricCPUUtilization(minute),
      threshold: 80,
      periods: 10,
    },
    {
      id: 'database-connections',
      title: 'The database runs out of connections',
      metric: database.cluster.metricDatabaseConnections({ ...minute, statistic: 'Maximum' }),
      threshold: settings.database.maxConnections * 0.8,
      periods: 5,
    },
    {
      id: 'database-memory',
      title: 'The database runs out of memory',
      metric: database.cluster.metricFreeableMemory({ ...minute, statistic: 'Minimum' }),
      threshold: 256 * 1024 * 1024,
      below: true,
      periods: 10,
    },
    {
      id: 'cache-memory',
      title: 'The cache runs full, and it evicts nothing',
      metric: ofCache('DatabaseMemoryUsagePercentage'),
      threshold: 80,
      periods: 5,
    },
    {
      id: 'cache-cpu',
      title: 'The cache is busy',
      metric: ofCache('EngineCPUUtilization'),
      threshold: 80,
      periods: 10,
    },
    {
      id: 'tables-throttled',
      title: 'DynamoDB refuses requests',
      metric: new MathExpression({
        expression: 'SUM(FILL(METRICS(), 0))',
        usingMetrics: byLetter,
        ...minute,
        label: 'throttled',
      }),
      threshold: 0,
      periods: 3,
    },
  ];
}

import { Duration, type Stack } from 'aws-cdk-lib';
import { AlarmRule, AlarmState, CompositeAlarm, type IAlarm, type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { ApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { type AlarmText, createAlarm, describe } from './alarm.ts';
import { failedShare } from './balancer-metrics.ts';
import { shopMetric } from './shop-metric.ts';

/** 99.9 % of requests are answered without a 5xx; 99 % of those about orders within half a second. Both over 30 days. */
export const objectives = {
  availability: { target: 0.999 },
  orderLatency: { target: 0.99, limitMs: 500 },
} as const;

/**
 * How fast the errors allowed for 30 days are used up, 1 being just fast enough. Two windows each, as in chapter 5 of the SRE
 * Workbook: the long one so that a blip wakes nobody, the short one so that the alarm ends soon after the trouble.
 */
const burns = {
  fast: { rate: 14.4, long: Duration.hours(1), short: Duration.minutes(5), urgency: '2 % of a month’s errors in an hour' },
  slow: { rate: 6, long: Duration.hours(6), short: Duration.minutes(30), urgency: '5 % of a month’s errors in six hours' },
} as const;

/** @returns the alarms that are to be heard, one for each objective and speed */
export function createObjectiveAlarms(stack: Stack, name: string, balancer: ApplicationLoadBalancer): readonly CompositeAlarm[] {
  const { availability, orderLatency } = objectives;
  const lateShare = (period: Duration) =>
    new MathExpression({
      expression: '1 - within / 100',
      usingMetrics: {
        within: shopMetric('LatencyMs', { statistic: `PR(:${orderLatency.limitMs})`, routeClass: 'orders', period }),
      },
      period,
      label: `late share over ${period.toHumanString()}`,
    });
  const watched = [
    {
      id: 'availability-burn',
      title: 'Requests fail',
      target: availability.target,
      share: (period: Duration) => failedShare(balancer, period),
    },
    { id: 'order-latency-burn', title: 'Orders are slow', target: orderLatency.target, share: lateShare },
  ];
  return (['fast', 'slow'] as const).flatMap((speed) =>
    watched.map(({ id, title, target, share }) => {
      const text = { name, id: `${id}-${speed}`, title: `${title}: ${burns[speed].urgency}` };
      return burnAlarm(stack, { text, speed, target, share });
    }),
  );
}

interface BurnOptions {
  readonly text: AlarmText;
  readonly speed: keyof typeof burns;
  readonly target: number;
  readonly share: (period: Duration) => IMetric;
}

function burnAlarm(stack: Stack, { text, speed, target, share }: BurnOptions): CompositeAlarm {
  const { rate, long, short } = burns[speed];
  const threshold = Number((rate * (1 - target)).toFixed(6));
  const windows: readonly IAlarm[] = [['long', long] as const, ['short', short] as const].map(([window, period]) =>
    createAlarm(stack, { ...text, window, metric: share(period), threshold, periods: 1 }),
  );
  const { alarmName, description } = describe(text);
  return new CompositeAlarm(stack, alarmName, {
    compositeAlarmName: alarmName,
    alarmDescription: description,
    alarmRule: AlarmRule.allOf(...windows.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
  });
}

import type { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';

export interface AlarmText {
  /** of the environment */
  readonly name: string;
  /** the alarm's, and that of its section in docs/runbook.md */
  readonly id: string;
  readonly title: string;
}

export interface AlarmOptions extends AlarmText {
  readonly metric: IMetric;
  readonly threshold: number;
  /** rings when so many periods in a row are beyond the threshold */
  readonly periods: number;
  /** default: above the threshold */
  readonly below?: boolean;
  /** no data is bad news; default: it is none */
  readonly silenceIsBad?: boolean;
  /** a part of a composite alarm, not heard by itself */
  readonly window?: 'long' | 'short';
}

export function createAlarm(stack: Stack, options: AlarmOptions): Alarm {
  const { metric, threshold, periods, below = false, silenceIsBad = false, window } = options;
  const { alarmName, description } = describe(options);
  const ownName = window === undefined ? alarmName : `${alarmName}-${window}`;
  return new Alarm(stack, ownName, {
    alarmName: ownName,
    alarmDescription: description,
    metric,
    threshold,
    evaluationPeriods: periods,
    datapointsToAlarm: periods,
    comparisonOperator: below ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
    treatMissingData: silenceIsBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  });
}

export function describe({ name, id, title }: AlarmText) {
  return { alarmName: `${name}-${id}`, description: `${title}. What to do: docs/runbook.md#${id}` };
}

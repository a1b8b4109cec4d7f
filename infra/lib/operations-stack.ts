import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { createAlarms } from './alarms.ts';
import { createBudget } from './budget.ts';
import { createDashboard } from './dashboard.ts';
import type { DataStack, ShopStackProps } from './data-stack.ts';
import { createLogQueries } from './log-queries.ts';
import type { ServiceStack } from './service-stack.ts';

export interface OperationsStackProps extends ShopStackProps {
  readonly data: DataStack;
  readonly service: ServiceStack;
}

/** What watches: apart, so that a mistake in an alarm never stops or undoes a release. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperationsStackProps) {
    const { name, settings, inputs, data, service } = props;
    super(scope, id, { ...props, description: `Alarms of ${name}` });
    const operators = new Topic(this, 'Operators', {
      topicName: `${name}-operators`,
      displayName: `Alarms of ${name}`,
      masterKey: data.key,
      enforceSSL: true,
    });
    // A topic with a policy of its own, as `enforceSSL` gives it, has lost the one by which alarms may publish.
    operators.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfTheShop',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [operators.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    operators.addSubscription(new EmailSubscription(inputs.operatorEmail));
    createAlarms(this, { name, settings, data, service, operators });
    createDashboard(this, { name, data, service });
    createLogQueries(this, { name, tasks: service.tasks });
    createBudget(this, { name, inputs });
  }
}

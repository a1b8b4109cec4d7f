import { type Stack, TimeZone } from 'aws-cdk-lib';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Universal } from 'aws-cdk-lib/aws-scheduler-targets';

/**
 * Replaces every task once a week, in a quiet hour. A task reads its secrets when it starts, and a password of the database is
 * good for at least one rotation more: so no task ever runs on one that has ended. The scheduler asks ECS itself, without code.
 */
export function createRenewal(stack: Stack, services: Readonly<Record<string, FargateService>>): void {
  for (const [place, [id, service]] of Object.entries(services).entries()) {
    new Schedule(stack, `${id}Renewal`, {
      description: `New tasks for ${id.toLowerCase()}, which read the secrets as they are now`,
      schedule: ScheduleExpression.cron({ weekDay: 'WED', hour: '4', minute: String(place * 20), timeZone: TimeZone.ETC_UTC }),
      target: new Universal({
        service: 'ecs',
        action: 'updateService',
        input: ScheduleTargetInput.fromObject({
          Cluster: service.cluster.clusterName,
          Service: service.serviceName,
          ForceNewDeployment: true,
        }),
        policyStatements: [new PolicyStatement({ actions: ['ecs:UpdateService'], resources: [service.serviceArn] })],
      }),
    });
  }
}

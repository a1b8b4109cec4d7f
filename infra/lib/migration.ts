import { join } from 'node:path';
import { CustomResource, Duration, type Stack } from 'aws-cdk-lib';
import type { Cluster } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Provider } from 'aws-cdk-lib/custom-resources';
import type { DataStack } from './data-stack.ts';
import { createLogGroup } from './log-group.ts';
import type { Settings } from './settings.ts';
import type { Task } from './tasks.ts';

export interface MigrationOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly data: DataStack;
  readonly cluster: Cluster;
  readonly task: Task;
}

/** Long enough for a large table to be rebuilt; CloudFormation waits an hour at most. */
const longestMigration = Duration.minutes(55);

/**
 * Runs the migration task whenever the image changes, and is done when the task has ended well: what depends on it is deployed
 * after that, and not at all when it failed.
 */
export function createMigration(stack: Stack, { name, settings, data, cluster, task }: MigrationOptions): CustomResource {
  const logs = createLogGroup(stack, 'MigrationRunnerLogs', { name: `/${name}/migration-runner`, key: data.key, settings });
  const handler = (id: string, entry: string) =>
    new LambdaFunction(stack, id, {
      description: 'Runs the migration of a deployment and waits for it',
      runtime: Runtime.NODEJS_24_X,
      code: Code.fromAsset(join(import.meta.dirname, '..', 'migration-handler')),
      handler: `index.${entry}`,
      timeout: Duration.seconds(30),
      logGroup: logs,
    });
  const start = handler('StartMigration', 'onEvent');
  const watch = handler('WatchMigration', 'isComplete');
  const { definition } = task;
  const onCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
  const familyArn = `arn:aws:ecs:${stack.region}:${stack.account}:task-definition/${definition.family}`;
  start.addToRolePolicy(new PolicyStatement({ actions: ['ecs:RunTask'], resources: [`${familyArn}:*`], conditions: onCluster }));
  start.addToRolePolicy(
    new PolicyStatement({
      actions: ['iam:PassRole'],
      resources: [definition.taskRole.roleArn, definition.obtainExecutionRole().roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
  );
  const tasksOfCluster = `arn:aws:ecs:${stack.region}:${stack.account}:task/${cluster.clusterName}/*`;
  watch.addToRolePolicy(
    new PolicyStatement({ actions: ['ecs:DescribeTasks'], resources: [tasksOfCluster], conditions: onCluster }),
  );
  const provider = new Provider(stack, 'MigrationProvider', {
    onEventHandler: start,
    isCompleteHandler: watch,
    queryInterval: Duration.seconds(10),
    totalTimeout: longestMigration,
    logGroup: logs,
    // It only asks the watcher again; the functions log what happens.
    disableWaiterStateMachineLogging: true,
  });
  const migration = new CustomResource(stack, 'Migration', {
    resourceType: 'Custom::Migration',
    serviceToken: provider.serviceToken,
    serviceTimeout: Duration.hours(1),
    properties: {
      cluster: cluster.clusterName,
      // Another image makes another revision, and another revision runs the migration.
      taskDefinition: definition.taskDefinitionArn,
      subnets: data.network.vpc.isolatedSubnets.map(({ subnetId }) => subnetId),
      securityGroups: [data.network.tasks.securityGroupId],
      logGroup: task.logs.logGroupName,
    },
  }); // The task starts with its whole rights or not at all.
  migration.node.addDependency(definition.taskRole, definition.obtainExecutionRole());
  return migration;
}

/**
 * The two halves of CloudFormation's custom resource `Custom::Migration`: one starts the task, the other is asked again and
 * again whether it has ended. A thrown error fails the deployment with its message.
 */

const physicalId = 'migration';

/** A repetition of the same event starts nothing new: ECS knows its token. */
export async function start(ecs, { RequestType, RequestId, ResourceProperties: properties }) {
  if (RequestType === 'Delete') return { PhysicalResourceId: physicalId };
  const { tasks = [], failures = [] } = await ecs.runTask({
    cluster: properties.cluster,
    taskDefinition: properties.taskDefinition,
    launchType: 'FARGATE',
    platformVersion: '1.4.0',
    clientToken: RequestId,
    startedBy: 'deployment',
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: properties.subnets,
        securityGroups: properties.securityGroups,
        assignPublicIp: 'DISABLED',
      },
    },
  });
  const [task] = tasks;
  if (task === undefined) throw new Error(`The migration could not be started: ${JSON.stringify(failures)}`);
  return { PhysicalResourceId: physicalId, Data: { taskArn: task.taskArn } };
}

/** Ended well means: every container ran, and each said 0. */
export async function hasEnded(ecs, { RequestType, Data, ResourceProperties: properties }) {
  if (RequestType === 'Delete') return { IsComplete: true };
  const { tasks = [], failures = [] } = await ecs.describeTasks({ cluster: properties.cluster, tasks: [Data.taskArn] });
  const [task] = tasks;
  // ECS may not know yet what it has just started; there is a limit to how often it is asked
  if (task === undefined && failures.every(({ reason }) => reason === 'MISSING')) return { IsComplete: false };
  if (task === undefined) throw new Error(`The migration task can not be looked at: ${JSON.stringify(failures)}`);
  if (task.lastStatus !== 'STOPPED') return { IsComplete: false };
  const failed = task.containers.filter(({ exitCode }) => exitCode !== 0);
  if (failed.length === 0) return { IsComplete: true };
  const causes = failed.map(({ name, exitCode, reason }) =>
    `${name} ended with ${exitCode ?? 'no exit code'} ${reason ?? ''}`.trim(),
  );
  throw new Error(`The migration failed: ${causes.join(', ')}. ${task.stoppedReason}. See the log group ${properties.logGroup}.`);
}

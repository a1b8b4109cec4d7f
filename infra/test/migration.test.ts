import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasEnded, start } from '../migration-handler/migration-run.mjs';
import { resourcesOf, synthesize } from './synthesized.ts';

const properties = {
  cluster: 'shop-prod',
  taskDefinition: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-prod-migration:7',
  subnets: ['subnet-1'],
  securityGroups: ['sg-1'],
  logGroup: '/shop-prod/migration',
};
const event = { RequestType: 'Update', RequestId: 'request-1', ResourceProperties: properties };
const watched = { ...event, Data: { taskArn: 'arn:task' } };
const stopped = (...containers: readonly object[]) => ({
  lastStatus: 'STOPPED',
  stoppedReason: 'Essential container exited',
  containers,
});

describe('the migration of a deployment', () => {
  it('starts one task inside the network, and the same one when the event is repeated', async () => {
    const sent: Record<string, unknown>[] = [];
    const ecs = {
      runTask: async (request: Record<string, unknown>) => {
        sent.push(request);
        return { tasks: [{ taskArn: 'arn:task' }] };
      },
    };
    for (const _ of [1, 2])
      deepEqual(await start(ecs, event), { PhysicalResourceId: 'migration', Data: { taskArn: 'arn:task' } });
    deepEqual(sent[0], sent[1]);
    equal(sent[0]?.clientToken, 'request-1');
    equal(sent[0]?.taskDefinition, properties.taskDefinition);
    deepEqual(sent[0]?.networkConfiguration, {
      awsvpcConfiguration: { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' },
    });
  });

  it('fails the deployment when the task can not be started', async () => {
    const ecs = { runTask: async () => ({ tasks: [], failures: [{ reason: 'RESOURCE:CPU' }] }) };
    await rejects(start(ecs, event), /could not be started.*RESOURCE:CPU/);
  });

  it('waits until the task has stopped', async () => {
    for (const lastStatus of ['PROVISIONING', 'RUNNING', 'STOPPING'])
      deepEqual(await watching({ lastStatus }), { IsComplete: false });
    const notYetKnown = { describeTasks: async () => ({ tasks: [], failures: [{ reason: 'MISSING' }] }) };
    deepEqual(await hasEnded(notYetKnown, watched), { IsComplete: false });
    deepEqual(await watching(stopped({ name: 'grant', exitCode: 0 }, { name: 'migrate', exitCode: 0 })), { IsComplete: true });
  });

  it('fails the deployment when a container failed, never ran, or can not be looked at', async () => {
    await rejects(
      watching(stopped({ name: 'grant', exitCode: 0 }, { name: 'migrate', exitCode: 1 })),
      /migrate ended with 1.*\/shop-prod\/migration/,
    );
    await rejects(
      watching(stopped({ name: 'grant', exitCode: 1 }, { name: 'migrate' })),
      /grant ended with 1, migrate ended with no exit code/,
    );
    await rejects(watching(stopped({ name: 'migrate', reason: 'CannotPullContainerError' })), /CannotPullContainerError/);
    await rejects(
      hasEnded({ describeTasks: async () => ({ tasks: [], failures: [{ reason: 'INACTIVE' }] }) }, watched),
      /looked at.*INACTIVE/,
    );
  });

  it('does nothing when the stack is deleted', async () => {
    const deleted = { ...watched, RequestType: 'Delete' };
    deepEqual(await start({}, deleted), { PhysicalResourceId: 'migration' });
    deepEqual(await hasEnded({}, deleted), { IsComplete: true });
  });

  it('comes before both services, after its own rights, and again with every image', () => {
    const { Resources } = synthesize('prod').template('service');
    const template = { Resources };
    const [[id, migration] = ['', undefined]] = resourcesOf(template, 'Custom::Migration');
    const services = resourcesOf(template, 'AWS::ECS::Service');
    equal(services.length, 2);
    for (const [name, { DependsOn = [] }] of services) ok(DependsOn.includes(id), name);
    const [[task] = ['']] = resourcesOf(template, 'AWS::ECS::TaskDefinition').filter(
      ([, { Properties }]) => Properties.Family === 'shop-prod-migration',
    );
    deepEqual(migration?.Properties.taskDefinition, { Ref: task });
    ok(migration?.DependsOn?.some((other) => /^MigrationExecutionRoleDefaultPolicy/.test(other)));
  });
});

function watching(task: object) {
  return hasEnded({ describeTasks: async () => ({ tasks: [task] }) }, watched);
}

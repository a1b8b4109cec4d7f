import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connectionsPerProcess, neededConnections } from '../lib/connections.ts';
import { settings } from '../lib/settings.ts';
import { type Resource, resourcesOf, synthesize } from './synthesized.ts';

const data = synthesize('prod').template('data');
const only = (type: string): Resource => {
  const [[, resource] = ['', undefined], ...others] = resourcesOf(data, type);
  if (resource === undefined || others.length > 0) throw new Error(`There is not one ${type}.`);
  return resource;
};

describe('the database', () => {
  it('takes the connections of all tasks of two versions, with a fifth to spare', () => {
    const source = readFileSync(join(import.meta.dirname, '..', '..', 'src', 'shared', 'mysql-database.ts'), 'utf8');
    const pool = Number(/poolMax = (\d+)/.exec(source)?.[1]);
    const single = Number(/singleMax = (\d+)/.exec(source)?.[1]);
    equal(connectionsPerProcess, pool + single);
    for (const [name, each] of Object.entries(settings)) ok(neededConnections(each) < 0.8 * each.database.maxConnections, name);
    equal(parameters().max_connections, String(settings.prod.database.maxConnections));
  });

  it('ends whole transactions, reads what is committed, and speaks TLS only', () => {
    const { innodb_rollback_on_timeout, transaction_isolation, require_secure_transport, innodb_flush_log_at_trx_commit } =
      parameters();
    deepEqual(
      [innodb_rollback_on_timeout, transaction_isolation, require_secure_transport, innodb_flush_log_at_trx_commit],
      ['1', 'READ-COMMITTED', 'ON', '1'],
    );
  });

  it('is encrypted, backed up for 35 days, protected, and has a second instance to fail over to', () => {
    const { Properties, DeletionPolicy } = only('AWS::RDS::DBCluster');
    equal(Properties.StorageEncrypted, true);
    equal(Properties.BackupRetentionPeriod, 35);
    equal(Properties.DeletionProtection, true);
    equal(DeletionPolicy, 'Retain');
    equal(resourcesOf(data, 'AWS::RDS::DBInstance').length, 2);
    for (const [, instance] of resourcesOf(data, 'AWS::RDS::DBInstance')) equal(instance.Properties.PubliclyAccessible, false);
  });

  it('changes its passwords every month, those of the shop by turns', () => {
    const schedules = resourcesOf(data, 'AWS::SecretsManager::RotationSchedule');
    equal(schedules.length, 2);
    for (const [id, { Properties }] of schedules)
      deepEqual(Properties.RotationRules, { ScheduleExpression: 'rate(30 days)' }, id);
    const applications = resourcesOf(data, 'AWS::Serverless::Application').map(([, { Properties }]) =>
      JSON.stringify(Properties),
    );
    equal(applications.length, 2);
    equal(applications.filter((application) => application.includes('masterSecretArn')).length, 1, 'two users take turns');
  });

  function parameters() {
    return only('AWS::RDS::DBClusterParameterGroup').Properties.Parameters as Readonly<Record<string, string>>;
  }
});

describe('the cache', () => {
  it('evicts nothing, speaks TLS with a password, and survives a zone', () => {
    deepEqual(only('AWS::ElastiCache::ParameterGroup').Properties.Properties, { 'maxmemory-policy': 'noeviction' });
    const {
      Engine,
      TransitEncryptionEnabled,
      AtRestEncryptionEnabled,
      AuthToken,
      MultiAZEnabled,
      AutomaticFailoverEnabled,
      NumNodeGroups,
    } = only('AWS::ElastiCache::ReplicationGroup').Properties;
    deepEqual(
      [Engine, TransitEncryptionEnabled, AtRestEncryptionEnabled, MultiAZEnabled, AutomaticFailoverEnabled, NumNodeGroups],
      ['valkey', true, true, true, true, 1],
    );
    match(JSON.stringify(AuthToken), /resolve:secretsmanager/);
  });
});

describe('the queues', () => {
  it('keep events for 14 days, put aside what ten receives could not read, and are encrypted', () => {
    const queues = resourcesOf(data, 'AWS::SQS::Queue');
    equal(queues.length, 2);
    for (const [id, { Properties }] of queues) {
      equal(Properties.MessageRetentionPeriod, 14 * 24 * 3600, id);
      equal(Properties.SqsManagedSseEnabled, true, id);
      equal(Properties.FifoQueue, undefined, id);
    }
    const policies = queues.flatMap(([, { Properties }]) =>
      Properties.RedrivePolicy === undefined ? [] : [Properties.RedrivePolicy],
    );
    equal(policies.length, 1);
    equal((policies[0] as { maxReceiveCount: number }).maxReceiveCount, 10);
  });
});

describe('what would be lost', () => {
  it('stays when the stack of production is deleted, and goes with that of development', () => {
    const kept = [
      'AWS::RDS::DBCluster',
      'AWS::DynamoDB::Table',
      'AWS::SQS::Queue',
      'AWS::KMS::Key',
      'AWS::SecretsManager::Secret',
      'AWS::ECR::Repository',
    ];
    const dev = synthesize('dev').template('data');
    for (const type of kept) {
      ok(resourcesOf(data, type).length > 0, type);
      for (const [id, { DeletionPolicy }] of resourcesOf(data, type)) {
        if (id.startsWith('CachePassword')) continue;
        equal(DeletionPolicy, 'Retain', id);
      }
      for (const [id, { DeletionPolicy }] of resourcesOf(dev, type)) equal(DeletionPolicy, 'Delete', id);
    }
  });

  it('is copied into a vault whose copies nobody deletes before their time', () => {
    const { AccessPolicy } = only('AWS::Backup::BackupVault').Properties;
    match(
      JSON.stringify(AccessPolicy),
      /"Effect":"Deny".*backup:DeleteRecoveryPoint|backup:DeleteRecoveryPoint.*"Effect":"Deny"/,
    );
    const [[, selection] = ['', undefined]] = resourcesOf(data, 'AWS::Backup::BackupSelection');
    const { Resources } = (selection?.Properties.BackupSelection ?? {}) as { Resources: readonly unknown[] };
    equal(Resources.length, 1 + resourcesOf(data, 'AWS::DynamoDB::Table').length);
  });
});

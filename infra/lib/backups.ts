import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Schedule } from 'aws-cdk-lib/aws-events';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { DatabaseCluster } from 'aws-cdk-lib/aws-rds';

export interface BackupOptions {
  readonly name: string;
  readonly key: Key;
  readonly cluster: DatabaseCluster;
  readonly tables: readonly Table[];
  readonly dailyDays: number;
  readonly monthlyDays: number;
}

/**
 * Copies in a vault of their own, for what continuous backups don't cover: somebody who deletes a store with its backups, and
 * questions about last year. Nobody who may use the stores may delete from the vault.
 */
export function createBackups(stack: Stack, { name, key, cluster, tables, dailyDays, monthlyDays }: BackupOptions): void {
  const vault = new BackupVault(stack, 'BackupVault', {
    backupVaultName: name,
    encryptionKey: key,
    blockRecoveryPointDeletion: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const plan = new BackupPlan(stack, 'BackupPlan', {
    backupPlanName: name,
    backupVault: vault,
    backupPlanRules: [
      new BackupPlanRule({
        ruleName: 'daily',
        scheduleExpression: Schedule.cron({ hour: '1', minute: '0' }),
        deleteAfter: Duration.days(dailyDays),
      }),
      new BackupPlanRule({
        ruleName: 'monthly',
        scheduleExpression: Schedule.cron({ day: '1', hour: '4', minute: '0' }),
        deleteAfter: Duration.days(monthlyDays),
      }),
    ],
  });
  plan.addSelection('BackedUp', {
    backupSelectionName: 'stores',
    resources: [
      BackupResource.fromRdsDatabaseCluster(cluster),
      ...tables.map((table) => BackupResource.fromDynamoDbTable(table)),
    ],
  });
}

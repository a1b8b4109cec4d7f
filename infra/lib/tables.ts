import { RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { tableDescriptions } from '../../src/modules/auth/auth-table-shapes.ts';
import type { DynamoKeyAttribute } from '../../src/shared/dynamo-table.ts';
import type { Settings } from './settings.ts';

/** The tables that the shop itself would make (src/modules/auth/auth-table-shapes.ts). DynamoDB on demand: nothing to size, and every second of the last 35 days can be restored. */
export function createTables(
  stack: Stack,
  { prefix, keepsData }: { readonly prefix: string } & Pick<Settings, 'keepsData'>,
): readonly Table[] {
  return tableDescriptions.map(({ name, hashKey, rangeKey, indexes, timeToLive }) => {
    const table = new Table(stack, `${name}Table`, {
      tableName: `${prefix}${name}`,
      partitionKey: keyOf(hashKey),
      ...(rangeKey !== undefined && { sortKey: keyOf(rangeKey) }),
      ...(timeToLive !== undefined && { timeToLiveAttribute: timeToLive }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: keepsData,
      removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    for (const index of indexes) {
      table.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: keyOf(index.hashKey),
        sortKey: keyOf(index.rangeKey),
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    return table;
  });
}

function keyOf({ name, type }: DynamoKeyAttribute) {
  return { name, type: type === 'S' ? AttributeType.STRING : AttributeType.NUMBER };
}

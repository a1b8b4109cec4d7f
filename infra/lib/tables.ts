import { RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { Settings } from './settings.ts';

interface TableKey {
  readonly name: string;
  readonly type: 'text' | 'number';
}

interface TableDescription {
  readonly partition: TableKey;
  readonly sort?: TableKey;
  /** they hold the keys alone */
  readonly indexes?: Readonly<Record<string, { readonly partition: TableKey; readonly sort: TableKey }>>;
  /** the attribute in which an item says when it may go */
  readonly expires?: string;
}

const text = (name: string): TableKey => ({ name, type: 'text' });
const number = (name: string): TableKey => ({ name, type: 'number' });

/** The tables of src/modules/auth/auth-tables.ts; a test compares them with what the shop itself would create. */
export const tableDescriptions = {
  Users: {
    partition: text('user_id'),
    indexes: {
      users_by_mark: { partition: text('mark_queue'), sort: number('mark_at') },
      users_by_erasure: { partition: text('erase_queue'), sort: number('erase_at') },
      users_by_creation: { partition: text('listed'), sort: text('user_id') },
    },
  },
  Usernames: { partition: text('name_key') },
  Sessions: {
    partition: text('session_id'),
    indexes: { sessions_by_user: { partition: text('user_id'), sort: text('session_id') } },
    expires: 'expires',
  },
  Revocations: { partition: number('minute'), sort: text('revocation_id'), expires: 'expires' },
  Admins: { partition: text('set_id') },
} as const satisfies Record<string, TableDescription>;

export type TableName = keyof typeof tableDescriptions;

/** DynamoDB on demand: nothing to size, and every second of the last 35 days can be restored. */
export function createTables(
  stack: Stack,
  { prefix, keepsData }: { readonly prefix: string } & Pick<Settings, 'keepsData'>,
): readonly Table[] {
  return Object.entries<TableDescription>(tableDescriptions).map(([name, { partition, sort, indexes = {}, expires }]) => {
    const table = new Table(stack, `${name}Table`, {
      tableName: `${prefix}${name}`,
      partitionKey: keyOf(partition),
      ...(sort !== undefined && { sortKey: keyOf(sort) }),
      ...(expires !== undefined && { timeToLiveAttribute: expires }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: keepsData,
      removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    for (const [indexName, keys] of Object.entries(indexes)) {
      table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: keyOf(keys.partition),
        sortKey: keyOf(keys.sort),
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    return table;
  });
}

function keyOf({ name, type }: TableKey) {
  return { name, type: type === 'text' ? AttributeType.STRING : AttributeType.NUMBER };
}

import type { KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { tableDescriptions } from '../src/modules/auth/auth-table-shapes.ts';
import { openAuthTables } from '../src/modules/auth/auth-tables.ts';
import type { Dynamo } from '../src/shared/dynamo.ts';
import { openUserStore, type TestDynamo } from './harness/stores.ts';

/** What the infrastructure is told about the tables is what the shop makes for itself on a local store. */

const prefix = 'described-';
let store: TestDynamo;
let dynamo: Dynamo;
beforeAll(async () => {
  store = await openUserStore();
  dynamo = await store.connect();
  // two processes start at once
  await Promise.all([openAuthTables(dynamo, dynamo.tablePrefix + prefix), store.connect().then(openThere)]);
});
afterAll(() => store.close());

async function openThere(other: Dynamo): Promise<void> {
  await openAuthTables(other, other.tablePrefix + prefix);
  await other.close();
}

describe.each(tableDescriptions)('the table $name', ({ name, hashKey, rangeKey, indexes, timeToLive }) => {
  const TableName = () => `${dynamo.tablePrefix}${prefix}${name}`;

  it('has the keys and indexes that are described', async () => {
    const { Table } = await dynamo.client.describeTable({ TableName: TableName() });
    const typeOf = (key: string) =>
      Table?.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === key)?.AttributeType;
    const keysOf = (schema: readonly KeySchemaElement[] = []) =>
      schema.map(({ AttributeName = '' }) => ({ name: AttributeName, type: typeOf(AttributeName) }));
    expect(keysOf(Table?.KeySchema)).toEqual([hashKey, rangeKey].filter((key) => key !== undefined));
    const made = (Table?.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema, Projection }) => {
      const [hash, range] = keysOf(KeySchema);
      return { name: IndexName, hashKey: hash, rangeKey: range, projection: Projection?.ProjectionType };
    });
    const byName = (one: { name?: string | undefined }, other: { name?: string | undefined }) =>
      `${one.name}`.localeCompare(`${other.name}`);
    expect(made.sort(byName)).toEqual([...indexes].sort(byName));
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
  });

  it(timeToLive === undefined ? 'keeps its items' : `lets items go by ${timeToLive}, where the store can`, async () => {
    if (!dynamo.removesExpired) return;
    const { TimeToLiveDescription } = await dynamo.client.describeTimeToLive({ TableName: TableName() });
    const expected = timeToLive && { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLive };
    expect(TimeToLiveDescription).toMatchObject(expected ?? { TimeToLiveStatus: 'DISABLED' });
  });
});

it('only sessions and revocations expire', () => {
  const expiring = tableDescriptions.filter(({ timeToLive }) => timeToLive === 'expires').map(({ name }) => name);
  expect(expiring).toEqual(['Sessions', 'Revocations']);
});

import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openAuthTables } from '../../src/modules/auth/auth-tables.ts';
import { type EmbeddedDynamo, startEmbeddedDynamo } from '../../src/shared/embedded-dynamo.ts';
import { resourcesOf, synthesize } from './synthesized.ts';

const prefix = 'shop-prod-';
const template = synthesize('prod').template('data');
const folder = mkdtempSync(join(tmpdir(), 'shop-tables-'));
let store: EmbeddedDynamo;

before(async () => {
  store = await startEmbeddedDynamo(folder);
});
after(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the tables of DynamoDB', () => {
  it('are those that the shop would make for itself, with their keys and indexes', async () => {
    const dynamo = await store.connect();
    await openAuthTables(dynamo, prefix);
    const { TableNames = [] } = await dynamo.client.listTables({});
    const made = await Promise.all(TableNames.map(async (TableName) => (await dynamo.client.describeTable({ TableName })).Table));
    const own = new Map(made.map((table) => [table?.TableName, shapeOf({ ...table })]));
    const deployed = new Map(
      resourcesOf(template, 'AWS::DynamoDB::Table').map(([, { Properties }]) => [Properties.TableName, shapeOf(Properties)]),
    );
    ok(deployed.size > 0);
    deepEqual(new Map([...deployed].sort()), new Map([...own].sort()));
    await dynamo.close();
  });

  it('are only opened by the shop in AWS: it makes, changes and describes nothing', async () => {
    const dynamo = await store.connect();
    const asked: string[] = [];
    dynamo.client.middlewareStack.add(
      (next, context) => (args) => {
        asked.push(context.commandName ?? 'unknown');
        return next(args);
      },
      { step: 'initialize' },
    );
    await openAuthTables({ ...dynamo, createsTables: false }, prefix);
    deepEqual(asked, []);
    await dynamo.close();
  });

  it('remove what has expired, where the shop says when, and nowhere else', () => {
    const expiring = resourcesOf(template, 'AWS::DynamoDB::Table').filter(
      ([, { Properties }]) => Properties.TimeToLiveSpecification,
    );
    deepEqual(
      Object.fromEntries(expiring.map(([, { Properties }]) => [Properties.TableName, Properties.TimeToLiveSpecification])),
      {
        [`${prefix}Sessions`]: { AttributeName: 'expires', Enabled: true },
        [`${prefix}Revocations`]: { AttributeName: 'expires', Enabled: true },
      },
    );
  });

  it('can be restored to any second, and are not deleted by mistake', () => {
    for (const [id, { Properties, DeletionPolicy }] of resourcesOf(template, 'AWS::DynamoDB::Table')) {
      deepEqual(Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true }, id);
      equal(Properties.DeletionProtectionEnabled, true, id);
      equal(DeletionPolicy, 'Retain', id);
    }
  });
});

interface Described {
  readonly KeySchema?: unknown;
  readonly AttributeDefinitions?: unknown;
  readonly GlobalSecondaryIndexes?: unknown;
}

/** The parts that both have, in one order. */
function shapeOf({ KeySchema, AttributeDefinitions = [], GlobalSecondaryIndexes = [] }: Described) {
  const indexes = GlobalSecondaryIndexes as readonly { IndexName: string; KeySchema: unknown; Projection: unknown }[];
  return {
    keys: KeySchema,
    attributes: [...(AttributeDefinitions as readonly { AttributeName: string }[])].sort(
      byName(({ AttributeName }) => AttributeName),
    ),
    indexes: indexes
      .map(({ IndexName, KeySchema: keys, Projection }) => ({ IndexName, keys, Projection }))
      .sort(byName(({ IndexName }) => IndexName)),
  };
}

function byName<T>(nameOf: (item: T) => string): (one: T, other: T) => number {
  return (one, other) => nameOf(one).localeCompare(nameOf(other));
}

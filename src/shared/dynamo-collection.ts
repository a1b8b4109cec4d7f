import type { QueryCommandOutput, ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import type { Dynamo } from './dynamo.ts';
import { type DynamoKey, readMany } from './dynamo-batch.ts';
import { guarded, isRefused, isTableInUse, storeFailure } from './dynamo-error.ts';
import { type DynamoTable, describeTable } from './dynamo-table.ts';
import { letExpire } from './local-expiry.ts';

/** What has to hold for a write to happen, all of it. */
export interface DynamoCondition<Item> {
  readonly exists?: readonly (keyof Item & string)[];
  readonly absent?: readonly (keyof Item & string)[];
  readonly equals?: Partial<Item>;
  readonly below?: Readonly<Record<string, number>>;
}

export interface DynamoPage<Item> {
  readonly items: readonly Item[];
  /** absent on the last page */
  readonly next?: Readonly<Record<string, string | number>>;
}

export interface DynamoQuery {
  /** absent: the table itself, read consistently */
  readonly index?: string;
  readonly partition: Readonly<Record<string, string | number>>;
  /** only items whose sort key is at most this */
  readonly upTo?: Readonly<Record<string, string | number>>;
  readonly newestFirst?: boolean;
  readonly limit?: number;
  readonly after?: Readonly<Record<string, string | number>> | undefined;
}

export interface DynamoScan {
  readonly attribute: string;
  readonly below: number;
  readonly after?: DynamoKey | undefined;
}

/**
 * One table of DynamoDB. Every write carries a condition and says whether it held: the client repeats a request whose
 * answer was lost, so `false` can also mean that the first copy did it, and the caller reads back to tell.
 * Reads by key are consistent. A store that is down is `unavailable`.
 */
export interface DynamoCollection<Item extends object> {
  get(key: DynamoKey): Promise<Item | undefined>;
  /** what exists of at most 100 items, read consistently, in the order of their keys, in one request */
  getMany(keys: readonly DynamoKey[]): Promise<readonly Item[]>;
  /** puts an item if its key is free */
  insert(item: Item): Promise<boolean>;
  /** never makes an item: the key has to exist */
  update(key: DynamoKey, change: DynamoChange<Item>, condition?: DynamoCondition<Item>): Promise<boolean>;
  /** true also when there was no such item, unless the condition asks for one */
  remove(key: DynamoKey, condition?: DynamoCondition<Item>): Promise<boolean>;
  /** one page; an index lags behind the table and gives the keys only */
  query(query: DynamoQuery): Promise<DynamoPage<Item>>;
  /** one page of the whole table, of which only items whose attribute is below a number are given */
  scanBelow(scan: DynamoScan): Promise<DynamoPage<Item>>;
  /** one page of the whole table, read consistently, of which only items with this value are given */
  scan(scan: {
    readonly equals?: readonly [attribute: string, value: string];
    readonly after?: DynamoKey | undefined;
  }): Promise<DynamoPage<Item>>;
}

export interface DynamoChange<Item> {
  readonly set?: Partial<Item>;
  readonly remove?: readonly (keyof Item & string)[];
}

/** Binds a table to the store; where the store has no infrastructure of its own, a missing table is created. */
export async function openCollection<Item extends object>(
  dynamo: Dynamo,
  definition: DynamoTable,
): Promise<DynamoCollection<Item>> {
  const { default: dynamoose } = await import('dynamoose');
  const { marshall, unmarshall } = dynamo.dynamoose.aws.converter();
  const model = await bindModel(dynamo, definition);
  // The key is one of the attributes that every item has.
  const hashKey = model.table().hashKey as keyof Item & string;

  const conditionOf = ({ exists = [], absent = [], equals = {}, below = {} }: DynamoCondition<Item>) => {
    let condition = new dynamoose.Condition();
    for (const attribute of exists) condition = condition.where(attribute).exists();
    for (const attribute of absent) condition = condition.where(attribute).not().exists();
    for (const [attribute, value] of Object.entries(equals)) condition = condition.where(attribute).eq(value);
    for (const [attribute, value] of Object.entries(below)) condition = condition.where(attribute).lt(value);
    return condition;
  };
  // What the store gives back was written through this very schema, so the items have its attributes.
  const plain = (item: object) => ({ ...item }) as Item;
  // dynamoose would check each item against its schema, half a millisecond long, and some lists are long.
  const pageOf = ({ Items = [], LastEvaluatedKey: next }: QueryCommandOutput | ScanCommandOutput): DynamoPage<Item> => ({
    items: Items.map((item) => plain(unmarshall(item))),
    ...(next !== undefined && { next: unmarshall(next) }),
  });
  const scan = async (page: ScanPage) => pageOf(await scanTable(dynamo, model.table().name, page));
  return {
    get: async (key) => {
      const item: object | undefined = await guarded(() => model.get({ ...key }, { consistent: true }));
      return item && plain(item);
    },
    getMany: async (keys) => (await readMany(dynamo, model.table().name, keys)).map(plain),
    insert: (item) => accepted(() => model.create({ ...item }, { overwrite: false })),
    update: (key, { set = {}, remove = [] }, condition = {}) => {
      const change = {
        ...(Object.keys(set).length > 0 && { $SET: { ...set } }),
        ...(remove.length > 0 && { $REMOVE: [...remove] }),
      };
      const whole = conditionOf({ ...condition, exists: [hashKey, ...(condition.exists ?? [])] });
      return accepted(() => model.update({ ...key }, change, { condition: whole, returnValues: 'NONE' }));
    },
    remove: (key, condition) =>
      accepted(() =>
        model.delete(
          { ...key },
          condition === undefined ? { return: null } : { return: null, condition: conditionOf(condition) },
        ),
      ),
    query: async (query) => {
      const { keyCondition, names, values } = keyConditionOf(query);
      const found = await guarded(() =>
        dynamo.client.query({
          TableName: model.table().name,
          ...(query.index === undefined ? { ConsistentRead: true } : { IndexName: query.index }),
          KeyConditionExpression: keyCondition,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: marshall(values),
          ScanIndexForward: query.newestFirst !== true,
          ...(query.limit !== undefined && { Limit: query.limit }),
          ...(query.after !== undefined && { ExclusiveStartKey: marshall(query.after) }),
        }),
      );
      return pageOf(found);
    },
    scanBelow: ({ attribute, below, after }) => scan({ filter: [attribute, '<', below], after }),
    scan: ({ equals, after }) => scan({ ...(equals && { filter: [equals[0], '=', equals[1]] }), after, consistent: true }),
  };
}

interface ScanPage {
  readonly filter?: readonly [attribute: string, comparison: '<' | '=', value: string | number];
  readonly after?: DynamoKey | undefined;
  readonly consistent?: boolean;
}

function scanTable(
  dynamo: Dynamo,
  tableName: string,
  { filter, after, consistent = false }: ScanPage,
): Promise<ScanCommandOutput> {
  const { marshall } = dynamo.dynamoose.aws.converter();
  return guarded(() =>
    dynamo.client.scan({
      TableName: tableName,
      ConsistentRead: consistent,
      Limit: scanPageSize,
      ...(filter && {
        FilterExpression: `#n ${filter[1]} :v`,
        ExpressionAttributeNames: { '#n': filter[0] },
        ExpressionAttributeValues: marshall({ ':v': filter[2] }),
      }),
      ...(after !== undefined && { ExclusiveStartKey: marshall(after) }),
    }),
  );
}

function keyConditionOf({ partition, upTo = {} }: DynamoQuery) {
  const bounds = [
    ...Object.entries(partition).map(([name, value]) => ({ name, value, is: '=' })),
    ...Object.entries(upTo).map(([name, value]) => ({ name, value, is: '<=' })),
  ];
  return {
    keyCondition: bounds.map(({ is }, place) => `#n${place} ${is} :v${place}`).join(' AND '),
    names: Object.fromEntries(bounds.map(({ name }, place) => [`#n${place}`, name])),
    values: Object.fromEntries(bounds.map(({ value }, place) => [`:v${place}`, value])),
  };
}

async function bindModel(dynamo: Dynamo, { name, attributes }: DynamoTable, attempt = 1) {
  const { default: dynamoose } = await import('dynamoose');
  const model = dynamoose.model(name, new dynamoose.Schema({ ...attributes }));
  const table = new dynamo.dynamoose.Table(name, [model], {
    create: dynamo.createsTables,
    waitForActive: dynamo.createsTables && { enabled: true, check: { frequency: 10, timeout: 10_000 } },
    throughput: 'ON_DEMAND',
    initialize: false,
  });
  try {
    await table.initialize();
    await letExpire(dynamo, describeTable({ name, attributes }));
    return model;
  } catch (error) {
    // Another process made the table at the same moment. A table of dynamoose can't be initialized twice.
    if (isTableInUse(error) && attempt < maxBindAttempts) return bindModel(dynamo, { name, attributes }, attempt + 1);
    throw storeFailure(error);
  }
}

const maxBindAttempts = 3;
const scanPageSize = 200;

async function accepted(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await guarded(write);
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

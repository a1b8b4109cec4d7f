import { setTimeout as pause } from 'node:timers/promises';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Dynamo } from './dynamo.ts';
import { guarded } from './dynamo-error.ts';
import { unavailable } from './failure.ts';

export type DynamoKey = Readonly<Record<string, string | number>>;

const maxAttempts = 5;
const firstPauseMs = 20;

/**
 * The items of a table that have these keys, read consistently, in the order of the keys; what is not there is left out. At most
 * 100 keys, the limit of DynamoDB. A store with much to do answers a part, and is asked again for the rest.
 * @throws unavailable
 */
export async function readMany(
  { client, dynamoose }: Pick<Dynamo, 'client' | 'dynamoose'>,
  table: string,
  keys: readonly DynamoKey[],
): Promise<readonly object[]> {
  const { marshall, unmarshall } = dynamoose.aws.converter();
  const nameOf = (key: DynamoKey) => JSON.stringify(Object.entries(key).sort());
  const wanted = new Map(keys.map((key) => [nameOf(key), key]));
  const found = new Map<string, object>();
  let rest: Record<string, AttributeValue>[] = [...wanted.values()].map((key) => marshall(key));
  for (let attempt = 1; rest.length > 0; attempt++) {
    if (attempt > maxAttempts) throw unavailable('The key-value store answers a part only.');
    if (attempt > 1) await pause(firstPauseMs * 2 ** attempt);
    const asked = { [table]: { Keys: rest, ConsistentRead: true } };
    const { Responses = {}, UnprocessedKeys = {} } = await guarded(() => client.batchGetItem({ RequestItems: asked }));
    for (const stored of Responses[table] ?? []) {
      const item = unmarshall(stored);
      found.set(nameOf(pick(item, Object.keys(keys[0] ?? {}))), item);
    }
    rest = UnprocessedKeys[table]?.Keys ?? [];
  }
  return [...wanted.keys()].map((name) => found.get(name)).filter((item) => item !== undefined);
}

function pick(item: Readonly<Record<string, string | number>>, names: readonly string[]): DynamoKey {
  return Object.fromEntries(names.map((name) => [name, item[name] ?? '']));
}

import type { DynamoCollection } from '../../shared/dynamo-collection.ts';

const mostAtOnce = 100;

/**
 * The items of a table whose keys are these values, in few requests, read consistently; those that do not exist are absent.
 * @throws unavailable
 */
export async function itemsByKey<Item extends object>(
  table: DynamoCollection<Item>,
  key: keyof Item & string,
  values: Iterable<string>,
): Promise<ReadonlyMap<string, Item>> {
  const wanted = [...new Set(values)];
  const found = new Map<string, Item>();
  for (let start = 0; start < wanted.length; start += mostAtOnce) {
    const items = await table.getMany(wanted.slice(start, start + mostAtOnce).map((value) => ({ [key]: value })));
    for (const item of items) found.set(String(item[key]), item);
  }
  return found;
}

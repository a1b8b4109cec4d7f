import type { SchemaDefinition } from 'dynamoose/dist/Schema.js';

export interface DynamoTable {
  readonly name: string;
  /** attributes in the notation of dynamoose, keys and indexes among them */
  readonly attributes: SchemaDefinition;
}

export interface DynamoKeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N';
}

/** A table as it has to be made, whoever makes it: billed on demand, its indexes global. */
export interface TableDescription {
  readonly name: string;
  readonly hashKey: DynamoKeyAttribute;
  readonly rangeKey?: DynamoKeyAttribute;
  readonly indexes: readonly {
    readonly name: string;
    readonly hashKey: DynamoKeyAttribute;
    readonly rangeKey: DynamoKeyAttribute;
    readonly projection: 'KEYS_ONLY';
  }[];
  /** the attribute of the TTL, in seconds since 1970; absent: nothing in the table expires */
  readonly timeToLive?: string;
}

/** An item that has it may be removed from then on, and is refused from then on whether it was or not. */
const timeToLiveAttribute = 'expires';

/** The part of dynamoose's notation that makes keys and indexes. */
interface Attribute {
  readonly type: unknown;
  readonly hashKey?: boolean;
  readonly rangeKey?: boolean;
  readonly index?: { readonly name: string; readonly rangeKey: string; readonly project: false };
}

/** What a table needs of the store, from its attributes. Pure: no library is loaded. */
export function describeTable({ name, attributes }: DynamoTable): TableDescription {
  const entries = Object.entries(attributes as Readonly<Record<string, Attribute>>); // ours have no other forms
  const keyOf = (attribute: string): DynamoKeyAttribute => {
    const type = entries.find(([each]) => each === attribute)?.[1].type;
    if (type !== String && type !== Number) throw new Error(`${name}.${attribute} can not be a key.`);
    return { name: attribute, type: type === Number ? 'N' : 'S' };
  };
  const [hashKey] = entries.find(([, attribute]) => attribute.hashKey) ?? [];
  const [rangeKey] = entries.find(([, attribute]) => attribute.rangeKey) ?? [];
  if (hashKey === undefined) throw new Error(`${name} has no key.`);
  return {
    name,
    hashKey: keyOf(hashKey),
    ...(rangeKey !== undefined && { rangeKey: keyOf(rangeKey) }),
    indexes: entries.flatMap(([attribute, { index }]) =>
      index === undefined
        ? []
        : [{ name: index.name, hashKey: keyOf(attribute), rangeKey: keyOf(index.rangeKey), projection: 'KEYS_ONLY' }],
    ),
    ...(timeToLiveAttribute in attributes && { timeToLive: timeToLiveAttribute }),
  };
}

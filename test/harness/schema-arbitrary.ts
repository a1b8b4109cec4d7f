import fc from 'fast-check';

/** What the OpenAPI document says about a value; the parts that our schemas use. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly example?: unknown;
}

export interface Known {
  readonly schemas: Readonly<Record<string, Schema>>;
  /** ids that exist */
  readonly ids: readonly string[];
}

/** Values that the schema allows, or nearly: patterns are met by examples and by ids that exist. */
export function valuesOf(schema: Schema, known: Known, depth = 0): fc.Arbitrary<unknown> {
  const { $ref, enum: values, anyOf, oneOf, allOf } = schema;
  const inner = (part: Schema) => valuesOf(part, known, depth + 1);
  if ($ref !== undefined) return inner(known.schemas[$ref.split('/').at(-1) ?? ''] ?? {});
  if ('const' in schema) return fc.constant(schema.const);
  if (values !== undefined) return fc.constantFrom(...values);
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(inner));
  if (allOf !== undefined && allOf[0] !== undefined) return inner(allOf[0]);
  const type = typeof schema.type === 'object' ? schema.type[0] : schema.type;
  if (type === 'object') return objectOf(schema, inner);
  if (type === 'array') return fc.array(inner(schema.items ?? {}), { minLength: 1, maxLength: 4 });
  if (type === 'integer' || type === 'number') return numberOf(schema);
  if (type === 'boolean') return fc.boolean();
  return textOf(schema, known);
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: Schema,
  inner: (part: Schema) => fc.Arbitrary<unknown>,
) {
  const members = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, inner(schema)]));
  if (Object.keys(members).length === 0 && typeof additionalProperties === 'object')
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), inner(additionalProperties), { maxKeys: 4 });
  return fc.record(members, { requiredKeys: [...required] });
}

function numberOf({ minimum = 0, maximum = 1_000_000 }: Schema) {
  const [min, max] = [Math.max(minimum, -1e9), Math.min(maximum, 1e9)];
  return fc.oneof(fc.integer({ min, max: Math.min(max, min + 20) }), fc.integer({ min, max }), fc.constantFrom(min, max));
}

function textOf({ pattern, example, minLength = 0, maxLength = 40 }: Schema, { ids }: Known) {
  const free = fc.string({ minLength: Math.max(minLength, 1), maxLength: Math.min(maxLength, 40), unit: 'grapheme' });
  if (pattern?.includes('[0-9a-f]{8}-')) return fc.constantFrom(...ids, '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f');
  return example === undefined ? free : fc.oneof(fc.constant(example), free);
}

/** Values that somebody might send who means no good. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      true,
      -1,
      0,
      1.5,
      2 ** 31,
      2 ** 53,
      -(2 ** 63),
      1e308,
      '',
      ' ',
      '\u0000',
      '\ufeff',
      '\u202e',
      'x'.repeat(5000),
      [],
      {},
    ],
    ...[
      "' OR '1'='1",
      '"; DROP TABLE orders_orders; --',
      '../../etc/passwd',
      '#{7*7}',
      '{{7*7}}',
      '%00',
      '%n%s',
      '<script>',
      '=cmd()',
    ],
    ...[
      'http://169.254.169.254/',
      '__proto__',
      'constructor',
      '[object Object]',
      'NaN',
      'undefined',
      '1e9999',
      '0x10',
      '\r\nX-Injected: 1',
    ],
    ...[Array(300).fill(1), { a: { b: { c: [] } } }, { $gt: '' }, { toString: 1 }, '💣'.repeat(100), '2026-02-30', '9999-12-31'],
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** The value with one part of it replaced, taken out or added. */
export function nearly(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(value, hostile, fc.nat(), fc.constantFrom('replace', 'remove', 'add')).map(([whole, part, at, how]) => {
    if (typeof whole !== 'object' || whole === null) return part;
    if (Array.isArray(whole)) return whole.length > 0 ? whole.with(at % whole.length, part) : [part];
    const members = Object.entries(whole);
    if (how === 'add' || members.length === 0) return { ...whole, [`extra${at % 10}`]: part };
    const index = at % members.length;
    const kept = members.filter((_, position) => position !== index);
    return Object.fromEntries(how === 'remove' ? kept : [...kept, [members[index]?.[0] ?? 'x', part]]);
  });
}

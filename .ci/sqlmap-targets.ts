// What sqlmap is to try: every operation of the OpenAPI document, with each parameter of path, query and header and each text of the
// body marked as a place to inject.

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface SqlmapTarget {
  readonly operationId: string;
  /** how many places are marked */
  readonly marks: number;
  /** for sqlmap's command line */
  readonly given: readonly string[];
}

/** Those that have a place to inject; `id` is of a product that exists. */
export function sqlmapTargets(document: Document, { url, id }: { url: string; id: string }): readonly SqlmapTarget[] {
  const sample = sampler(document, id);
  return Object.entries(document.paths)
    .flatMap(([path, operations]) => Object.entries(operations).map(([method, operation]) => ({ path, method, operation })))
    .map((call) => targetOf(call, { url, sample }))
    .filter(({ marks }) => marks > 0);
}

/** What exists has the first version: it may be changed, and is not what the client has, or the answer would be an empty 304. */
const conditions: ReadonlyMap<string, string> = new Map([
  ['If-Match', '"1"'],
  ['If-None-Match', '"0"'],
]);

type Sample = (schema: Schema) => unknown;

function targetOf(
  { path, method, operation }: { path: string; method: string; operation: Operation },
  { url, sample }: { url: string; sample: Sample },
): SqlmapTarget {
  const { operationId, parameters = [], requestBody } = operation;
  const of = (place: string) =>
    parameters.filter((parameter) => parameter.in === place).map(({ name, schema }) => [name, textOf(sample(schema))] as const);
  const inPath = new Map(of('path'));
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `${inPath.get(name) ?? ''}*`);
  const query = of('query').map(([name, value]) => `${name}=${encodeURIComponent(value)}*`);
  const [type, { schema } = { schema: undefined }] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const body = schema === undefined ? undefined : JSON.stringify(marked(sample(schema)));
  const given = [
    ...['-u', `${url}${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`, `--method=${method.toUpperCase()}`],
    ...of('header').flatMap(([name, value]) => ['-H', `${name}: ${conditions.get(name) ?? value}*`]),
    ...(type === undefined ? [] : ['-H', `Content-Type: ${type}`]),
    ...(body === undefined ? [] : ['--data', body]),
  ];
  const marks = parameters.length + (body?.split('*').length ?? 1) - 1;
  return { operationId, marks, given };
}

/** A value that the schema allows, or nearly: what is refused at the door can't be injected further in. */
function sampler({ components }: Document, id: string): Sample {
  const sample = (schema: Schema): unknown => {
    const { $ref, anyOf, oneOf, allOf } = schema;
    if ($ref !== undefined) return sample(components.schemas[$ref.split('/').at(-1) ?? ''] ?? {});
    const [alternative] = anyOf ?? oneOf ?? [];
    if (alternative !== undefined) return sample(alternative);
    if (allOf !== undefined) return Object.assign({}, ...allOf.map(sample));
    const [given = schema.const] = schema.enum ?? schema.examples ?? [];
    return given ?? sampleOfType(schema, sample, id);
  };
  return sample;
}

function sampleOfType(schema: Schema, sample: Sample, id: string): unknown {
  const [type] = [schema.type].flat();
  switch (type) {
    case 'object':
      return Object.fromEntries(Object.entries(schema.properties ?? { size: {} }).map(([name, part]) => [name, sample(part)]));
    case 'array':
      return schema.items === undefined ? [] : [sample(schema.items)];
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return true;
    default:
      return sampleText(schema, id);
  }
}

/** The first of what the shop's texts look like that fits. */
function sampleText({ format, pattern }: Schema, id: string): string {
  const dates = { date: '2026-01-01', 'date-time': '2026-01-01T00:00:00Z' };
  const looks = ['lamp', id, dates.date, dates['date-time'], '"1"', 'GBP', 'a-fine-value'];
  const ofFormat = { ...dates, uuid: id }[format ?? ''];
  return ofFormat ?? looks.find((text) => pattern === undefined || new RegExp(pattern, 'u').test(text)) ?? 'lamp';
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** sqlmap injects where it finds an asterisk. */
function marked(value: unknown): unknown {
  if (typeof value === 'string') return `${value}*`;
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, marked(part)]));
}

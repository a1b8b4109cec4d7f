import fc from 'fast-check';
import { hostile, type Known, nearly, type Schema, valuesOf } from './schema-arbitrary.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

export interface FuzzDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface GeneratedRequest {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** as text; absent for none */
  readonly body?: string;
  readonly contentType?: string;
  readonly who: 'anonymous' | 'customer' | 'staff' | 'admin';
}

type Kind = 'valid' | 'nearly valid' | 'hostile';

/** What is asked for, and by whom. */
interface Mix {
  readonly kinds: fc.Arbitrary<Kind>;
  readonly askers: fc.Arbitrary<GeneratedRequest['who']>;
}

const mixed: Mix = {
  kinds: fc.constantFrom('valid', 'valid', 'nearly valid', 'hostile'),
  askers: fc.constantFrom('anonymous', 'customer', 'staff', 'admin', 'admin', 'customer'),
};
const admins: Mix = { kinds: fc.constant('valid'), askers: fc.constant('admin') };
const validOfEach = 3;

/**
 * Requests to all operations of the document: valid, nearly valid and hostile; of one seed always the same. A few valid ones of an admin
 * to each operation come first, so that each does its work at all.
 */
export function generateRequests(
  document: FuzzDocument,
  { ids, seed, count }: { ids: readonly string[]; seed: number; count: number },
): readonly GeneratedRequest[] {
  const known: Known = { schemas: document.components.schemas, ids };
  const requests = (mix: Mix) =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => requestTo({ path, method, operation, known, ...mix })),
    );
  const first = requests(admins).flatMap((request) => fc.sample(request, { seed, numRuns: validOfEach }));
  return [...first, ...fc.sample(fc.oneof(...requests(mixed)), { seed, numRuns: count - first.length })];
}

interface Target extends Mix {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
  readonly known: Known;
}

function requestTo({ path, method, operation, known, kinds, askers }: Target) {
  const { operationId, parameters = [], requestBody } = operation;
  const [type, { schema } = { schema: undefined }] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  return kinds.chain((kind) => {
    const ofKind = (part: Schema) => pick(kind, valuesOf(part, known));
    const values = fc.record(Object.fromEntries(parameters.map((parameter) => [parameter.name, ofKind(parameter.schema)])));
    const chosen = fc.subarray(parameters.filter((parameter) => parameter.in !== 'path'));
    return fc
      .record({
        values,
        chosen,
        who: askers,
        body: schema === undefined ? fc.constant(undefined) : fc.option(ofKind(schema), { nil: undefined, freq: 12 }),
        version: fc.constantFrom('"1"', '"2"', '"3"', '*', 'W/"1"', 'x', undefined),
      })
      .map(({ values: given, chosen: sent, who, body, version }): GeneratedRequest => {
        const query = sent.filter((parameter) => parameter.in === 'query').map(({ name }) => `${name}=${encode(given[name])}`);
        const headers = sent.filter((parameter) => parameter.in === 'header').map(({ name }) => [name, headerValue(given[name])]);
        const text = body === undefined ? undefined : JSON.stringify(body);
        return {
          operationId,
          method,
          who,
          path: `${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encode(given[name]) || 'x')}${query.length > 0 ? `?${query.join('&')}` : ''}`,
          headers: { ...Object.fromEntries(headers), ...(version !== undefined && { 'If-Match': version }) },
          ...(text !== undefined && { body: text }),
          ...(type !== undefined && { contentType: type }),
        };
      });
  });
}

function pick(kind: Kind, value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  if (kind === 'valid') return value;
  return kind === 'nearly valid' ? fc.oneof(value, nearly(value)) : hostile;
}

/** For a path or a query; what a path itself would be read by is escaped too, so that the operation is always the same. */
function encode(value: unknown): string {
  const text = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 300).toWellFormed();
  return encodeURIComponent(text).replaceAll(/[!'()*.~]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}

/** What an HTTP client can send at all. */
function headerValue(value: unknown): string {
  return (
    (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
      .replaceAll(/[^\x20-\x7e]/g, '?')
      .slice(0, 300)
      .trim() || 'x'
  );
}

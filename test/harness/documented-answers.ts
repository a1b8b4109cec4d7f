import jestOpenApi from 'jest-openapi';
import type { Response } from 'supertest';

// jest-openapi first checks the document against the schema of OpenAPI 3.0, which knows nothing of 3.1; the document itself is
// linted by test/openapi.test.ts. What checks the answers is plain JSON Schema and takes 3.1 as it is.
jest.mock('openapi-schema-validator', () => ({
  __esModule: true,
  default: class {
    validate() {
      return { errors: [] };
    }
  },
}));

// It compiles all schemas of the document anew for every answer, which takes longer than most requests; here it is given those that
// an answer refers to, once for each kind of answer, whatever its operation and status.
jest.mock('openapi-response-validator', () => {
  const { default: Validator } = jest.requireActual('openapi-response-validator');
  const compiled = new Map<string, object>();
  function ValidatorOnce({ responses, components }: { readonly responses: object; readonly components: Components }) {
    const [response = {}] = Object.values(responses);
    const schema = JSON.stringify(response.schema ?? response.content);
    const needed = referredTo(schema, components);
    const kind = `${schema} ${JSON.stringify(needed)}`;
    const validator = compiled.get(kind) ?? new Validator({ responses: { default: response }, components: needed });
    compiled.set(kind, validator);
    return validator;
  }
  return { __esModule: true, default: ValidatorOnce };
});

interface Components {
  readonly schemas: Readonly<Record<string, object>>;
}

/** The schemas that a text of JSON refers to, and those that they do. */
function referredTo(text = '', { schemas }: Components): Components {
  const found = new Map<string, object>();
  const follow = (from: string) => {
    for (const [, name = ''] of from.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      const schema = schemas[name];
      if (schema === undefined || found.has(name)) continue;
      found.set(name, schema);
      follow(JSON.stringify(schema));
    }
  };
  follow(text);
  return { schemas: Object.fromEntries(found) };
}

declare global {
  namespace jest {
    interface Matchers<R> {
      toSatisfyApiSpec(): R;
      toSatisfySchemaInApiSpec(schemaName: string): R;
    }
  }
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

const mostLinesChecked = 10;

/** Pages are no part of the API and not in its document. */
const pages = /^\/(?:docs|problems|openapi\.json)(?:\/|$)/;

/**
 * Makes the check that every answer has to pass: its status, body and media type are those that the document describes for
 * its operation. Answers for paths and methods that do not exist have to be problem documents.
 */
export function documentedAnswers(document: OpenApiDocument): (response: Response) => void {
  // its types are those of an older OpenAPI
  jestOpenApi.default(document as unknown as Parameters<typeof jestOpenApi.default>[0]);
  const templates = Object.entries(document.paths).map(([path, operations]) => ({ pattern: patternOf(path), path, operations }));
  templates.sort((one, other) => Number(one.path.includes('{')) - Number(other.path.includes('{')));
  return (response) => {
    // superagent's own types leave out the request that jest-openapi looks at as well
    const { method, path } = (response as unknown as { req: { method: string; path: string } }).req;
    const [pathname = ''] = path.split('?', 1);
    expect(response.headers['x-request-id']).toMatch(/^[A-Za-z0-9-]{8,64}$/);
    if (method === 'HEAD' || method === 'OPTIONS' || pages.test(pathname)) return;
    const operation = templates.find(({ pattern }) => pattern.test(pathname))?.operations[method.toLowerCase()];
    if (operation === undefined) {
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.body).toSatisfySchemaInApiSpec('Problem');
      return;
    }
    const content = operation.responses[response.status]?.content ?? {};
    const types = Object.keys(content);
    if (types.includes('application/x-ndjson')) checkLines(response, content);
    else expect(response).toSatisfyApiSpec();
    expect([undefined, ...types]).toContain(response.headers['content-type']?.split(';', 1)[0]);
  };
}

/** Each line of a streamed answer has to be what the document says of one. */
function checkLines(response: Response, content: Readonly<Record<string, unknown>>): void {
  if (!response.headers['content-type']?.startsWith('application/x-ndjson')) return;
  const schema = JSON.stringify(content['application/x-ndjson']);
  const name = /schemas\/(\w+)/.exec(schema)?.[1] ?? '';
  const lines = textOf(response).split('\n').filter(Boolean);
  // what tells one of another is in the first ones
  for (const line of [...lines.slice(0, mostLinesChecked), ...lines.slice(-1)])
    expect(JSON.parse(line)).toSatisfySchemaInApiSpec(name);
}

/** The text of an answer that the client does not know how to parse. */
export function textOf(response: Pick<Response, 'body' | 'text'>): string {
  return Buffer.isBuffer(response.body) ? response.body.toString() : response.text;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

/** The document as the server hands it out. */
export async function fetchDocument(url: string): Promise<OpenApiDocument> {
  const answer = await fetch(`${url}/openapi.json`);
  // what the server makes is linted by test/openapi.test.ts
  return (await answer.json()) as OpenApiDocument;
}

import type { Request } from 'express';
import { z } from 'zod';
import type { RuleViolation } from './failure.ts';
import { Failure, validationFailure } from './failure.ts';
import { announcesBody, pointerToken, readJsonBody } from './http-body.ts';
import type { Route } from './route.ts';

const maxViolations = 50;
const maxPointerLength = 200;

/** The checked parts of a request. A bad path, query or header value is 400, a body that breaks a rule 422. */
export interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body: unknown;
}

/** Made once for a route. @throws at once when a schema is of a kind whose members can't be told */
export function createInputReader(route: Route): (request: Request) => Promise<Input> {
  const queryNames = memberNames(route.query);
  const headerNames = memberNames(route.headers);
  return async (request) => {
    const body = await readBody(request, route);
    const sent = sentHeaders(request, headerNames);
    return {
      params: check({ schema: route.params, value: request.params, kind: 'path parameter' }),
      query: check({ schema: route.query, value: parseQuery(request.url, queryNames), kind: 'query parameter' }),
      headers: check({ schema: route.headers, value: sent, kind: 'header' }),
      body: body === undefined ? undefined : checkBody(route.body, body),
    };
  };
}

/** The names of an object schema, also behind `.transform` and the like. */
function memberNames(schema: z.ZodType | undefined): readonly string[] {
  if (schema === undefined) return [];
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  // what a pipe takes in is a schema of zod's own, though its type says less
  if (schema instanceof z.ZodPipe) return memberNames(schema.def.in as z.ZodType);
  throw new TypeError('Parameters have to be described by an object schema.');
}

async function readBody(request: Request, route: Route): Promise<unknown> {
  if (route.body !== undefined)
    return readJsonBody(request, { optional: route.bodyOptional === true, mergePatch: route.mergePatch === true });
  // the handler reads it
  if (route.streams !== undefined) return undefined;
  if (announcesBody(request)) throw new Failure('malformed', { detail: 'This call takes no body.' });
  return undefined;
}

function sentHeaders({ headers }: Request, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]));
}

/** Each parameter is one string: no lists, no nesting, nothing that the route does not know. @throws malformed (400) */
function parseQuery(url: string, names: readonly string[]): Record<string, string> {
  const start = url.indexOf('?');
  const parameters = new Map<string, string>();
  for (const part of start === -1 ? [] : url.slice(start + 1).split('&')) {
    if (part === '') continue;
    const [name = '', value = ''] = part.split(/=(.*)/s, 2).map(decodeQuery);
    if (!names.includes(name)) throw new Failure('malformed', { detail: unknownParameter(names) });
    if (parameters.has(name)) throw new Failure('malformed', { detail: `query parameter ${name}: may be sent once` });
    parameters.set(name, value);
  }
  return Object.fromEntries(parameters);
}

function decodeQuery(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new Failure('malformed', { detail: 'The query is not well encoded.', cause });
  }
}

function unknownParameter(names: readonly string[]): string {
  return names.length === 0
    ? 'This call takes no query parameters.'
    : `The query parameters of this call are: ${names.join(', ')}.`;
}

function check({ schema, value, kind }: { schema: z.ZodType | undefined; value: unknown; kind: string }): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Failure('malformed', { detail: `${kind} ${String(issue?.path[0] ?? '')}: ${issue?.message ?? 'is not valid'}` });
}

function checkBody(schema: z.ZodType | undefined, body: unknown): unknown {
  const result = schema?.safeParse(body);
  if (result === undefined || result.success) return result?.data;
  throw validationFailure(violationsIn(result.error));
}

/** Every broken rule, at most 50. */
export function violationsIn({ issues }: z.ZodError): readonly RuleViolation[] {
  return issues.flatMap(violationsOf).slice(0, maxViolations);
}

/** An unknown member is named by its pointer; nothing else of the input appears. */
function violationsOf(issue: z.core.$ZodIssue): readonly RuleViolation[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, maxViolations)
      .map((key) => ({ pointer: pointerTo([...issue.path, key]), detail: 'is not a known field' }));
  }
  return [{ pointer: pointerTo(issue.path), detail: issue.message }];
}

function pointerTo(path: readonly PropertyKey[]): string {
  return path
    .map((step) => `/${pointerToken(String(step))}`)
    .join('')
    .slice(0, maxPointerLength);
}

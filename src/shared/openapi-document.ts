import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import type { ProblemCode } from './failure.ts';
import { commonHeaders, headerDocs, problemResponses, problemSchema, problemSchemas, quotaHeaders } from './openapi-problems.ts';
import type { ProblemGuides } from './problem-guide.ts';
import type { DocumentedReply, Route, StreamTypes } from './route.ts';

export interface ServiceInfo {
  readonly title: string;
  readonly version: string;
  /** Markdown */
  readonly description: string;
  /** what each tag of the routes is about, in the order of the document */
  readonly tags: Readonly<Record<string, string>>;
}

export interface DocumentParts {
  readonly info: ServiceInfo;
  readonly routes: readonly Route[];
  readonly guides: ProblemGuides;
}

/** The OpenAPI 3.1 document, from the very schemas that the front validates with. */
export function createOpenApiDocument({ info, routes, guides }: DocumentParts): object {
  const schemas = problemSchemas(guides);
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route, schemas) };
  }
  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: info.title,
        version: info.version,
        description: info.description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: Object.entries(info.tags).map(([name, description]) => ({ name, description })),
      paths,
      components: {
        schemas: { Problem: problemSchema },
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The `accessToken` of a sign-in' },
        },
      },
    },
    { override: ({ jsonSchema }) => readableTime(jsonSchema) },
  );
}

/** The format says it all; from zod's pattern, documentation tools make up times in the year 4716. */
function readableTime(schema: { format?: string; pattern?: string; examples?: unknown[]; example?: unknown }): void {
  if (schema.format !== 'date-time') return;
  delete schema.pattern;
  if (schema.example === undefined) schema.examples ??= ['2026-11-23T09:30:00.000Z'];
}

function operationOf(route: Route, schemas: Readonly<Record<ProblemCode, z.ZodType>>): ZodOpenApiOperationObject {
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    security: securityOf(route),
    requestParams: {
      ...(route.params !== undefined && { path: objectSchema(route.params) }),
      ...(route.query !== undefined && { query: objectSchema(route.query) }),
      ...(route.headers !== undefined && { header: documentedHeaders(objectSchema(route.headers)) }),
    },
    ...(route.body !== undefined && {
      requestBody: { required: route.bodyOptional !== true, content: bodyContent(route, route.body) },
    }),
    ...(route.streams !== undefined && { requestBody: { required: true, content: streamContent(route.streams) } }),
    responses: { ...replyResponses(route), ...problemResponses(route, schemas) },
  };
}

function securityOf({ access }: Route): Record<string, string[]>[] {
  if (access === 'public') return [];
  return access === 'optional' ? [{}, { bearer: [] }] : [{ bearer: [] }];
}

/** Parameters are always described by an object; the front refuses other schemas when it mounts the route. */
function objectSchema(schema: z.ZodType): z.ZodObject {
  return schema as z.ZodObject;
}

/** OpenAPI describes these by other means and ignores parameters of that name. */
const describedElsewhere: ReadonlySet<string> = new Set(['accept', 'authorization', 'content-type']);

function documentedHeaders({ shape }: z.ZodObject): z.ZodObject {
  const entries = Object.entries(shape).filter(([name]) => !describedElsewhere.has(name));
  return z.object(
    Object.fromEntries(
      entries.map(([name, schema]) => [name.replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase()), schema]),
    ),
  );
}

function bodyContent(route: Route, schema: z.ZodType) {
  return {
    'application/json': { schema },
    ...(route.mergePatch === true && { 'application/merge-patch+json': { schema } }),
  };
}

/** OpenAPI 3.1 has no word for a sequence of lines: the schema is that of one. */
function streamContent(streams: StreamTypes) {
  return Object.fromEntries(Object.entries(streams).map(([type, schema]) => [type, { schema }]));
}

function replyResponses(route: Route): Record<string, ZodOpenApiResponseObject> {
  return Object.fromEntries(Object.entries(route.replies).map(([status, reply]) => [status, replyResponse(route, reply)]));
}

function replyResponse(route: Route, { description, body, streams, headers = {} }: DocumentedReply): ZodOpenApiResponseObject {
  return {
    description,
    headers: headerDocs({ ...commonHeaders, ...(route.quota !== 'none' && quotaHeaders), ...headers }),
    ...(body !== undefined && { content: { 'application/json': { schema: body } } }),
    ...(streams !== undefined && { content: streamContent(streams) }),
  };
}

import { z } from 'zod';
import { assertIfMatch, entityTag } from '../../src/shared/entity-tag.ts';
import { Failure, overloaded } from '../../src/shared/failure.ts';
import { idParameter } from '../../src/shared/identifier.ts';
import { cursorParameter, limitParameter, pageOf, pageReply } from '../../src/shared/page.ts';
import { type Route, route } from '../../src/shared/route.ts';

const boat = z
  .object({ id: z.string(), name: z.string(), length: z.int(), notes: z.record(z.string(), z.string()).optional() })
  .meta({ id: 'Boat' });
const newBoat = z.strictObject({
  name: z.string().min(1).max(40),
  length: z.int().min(1).max(400),
  notes: z.record(z.string(), z.string()).optional(),
});
const shared = { tag: 'Boats', problems: [] };
const params = z.strictObject({ id: idParameter });

/** A small harbour: one route for each thing that the front does, without the shop. */
export const sampleRoutes: readonly Route[] = [
  route({
    ...shared,
    method: 'get',
    path: '/boats',
    access: 'public',
    quota: 'browsing',
    operationId: 'listBoats',
    summary: 'List boats',
    query: z.strictObject({ limit: limitParameter, cursor: cursorParameter, sort: z.enum(['name', '-name']).optional() }),
    replies: { 200: { description: 'A page', body: pageOf(boat) } },
    handle: async ({ query, url }) => {
      const data = [{ id: '1', name: `first of ${query.limit}`, length: 12 }];
      return pageReply({ data, nextCursor: 'eyJ' }, url);
    },
  }),
  route({
    ...shared,
    method: 'post',
    path: '/boats',
    access: 'staff',
    quota: 'staff',
    operationId: 'createBoat',
    summary: 'Add a boat',
    body: newBoat,
    replies: { 201: { description: 'Added', body: boat, headers: { Location: 'Where it is' } } },
    handle: async ({ body }) => ({ status: 201, body: { id: '2', ...body }, headers: { Location: '/boats/2' } }),
  }),
  route({
    ...shared,
    method: 'get',
    path: '/boats/{id}',
    access: 'optional',
    quota: 'browsing',
    operationId: 'getBoat',
    summary: 'Read a boat',
    params,
    replies: { 200: { description: 'The boat', body: boat, headers: { ETag: 'Version' } } },
    problems: ['not-found'],
    handle: async ({ params: { id }, principal }) => ({
      status: 200,
      body: { id, name: principal === undefined ? 'for everybody' : `for ${principal.userId}`, length: 3 },
      headers: { ETag: entityTag(7) },
    }),
  }),
  route({
    ...shared,
    method: 'patch',
    path: '/boats/{id}',
    access: 'staff',
    quota: 'staff',
    operationId: 'patchBoat',
    summary: 'Change a boat',
    params,
    headers: z.object({ 'if-match': z.string().optional() }),
    body: newBoat.partial(),
    mergePatch: true,
    replies: { 200: { description: 'The boat', body: boat } },
    problems: ['precondition-required', 'version-mismatch'],
    handle: async ({ params: { id }, headers, body }) => {
      assertIfMatch(headers['if-match'], 7);
      return { status: 200, body: { id, name: body.name ?? 'unchanged', length: body.length ?? 1 } };
    },
  }),
  route({
    ...shared,
    method: 'get',
    path: '/boats/tally',
    access: 'customer',
    quota: 'orders',
    operationId: 'tallyBoats',
    summary: 'Count boats',
    replies: { 200: { description: 'How many', body: z.object({ boats: z.int() }) } },
    handle: async () => ({ status: 200, body: { boats: 3 } }),
  }),
  route({
    ...shared,
    method: 'post',
    path: '/boats/{id}/launch',
    access: 'public',
    quota: 'none',
    operationId: 'launchBoat',
    summary: 'Launch a boat',
    params,
    replies: { 204: { description: 'It swims' } },
    handle: async () => ({ status: 204 }),
  }),
  route({
    ...shared,
    method: 'post',
    path: '/boats/{id}/sail',
    access: 'public',
    quota: 'none',
    operationId: 'sailBoat',
    summary: 'Sail, perhaps with a crew',
    params,
    body: z.strictObject({ crew: z.int() }),
    bodyOptional: true,
    replies: { 200: { description: 'Under way', body: z.object({ crew: z.int() }) } },
    handle: async ({ body }) => ({ status: 200, body: { crew: body?.crew ?? 0 } }),
  }),
  route({
    ...shared,
    method: 'get',
    path: '/storms/{kind}',
    access: 'public',
    quota: 'none',
    operationId: 'raiseStorm',
    summary: 'Go wrong in a certain way',
    params: z.strictObject({ kind: z.string() }),
    replies: { 200: { description: 'An answer that the document does not describe', body: z.object({ calm: z.literal(true) }) } },
    handle: async ({ params: { kind } }) => storm(kind),
  }),
];

async function storm(kind: string) {
  switch (kind) {
    case 'extra':
      return { status: 200, body: { calm: true, surprise: 1 } };
    case 'missing':
      return { status: 200, body: {} };
    case 'unknown-status':
      return { status: 202, body: { calm: true } };
    case 'store-down':
      throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:3306'), { code: 'ECONNREFUSED' });
    case 'sql':
      throw Object.assign(new Error('Unknown column'), { sql: 'SELECT canary-sql', parameters: ['canary-parameter'] });
    case 'overload':
      throw overloaded();
    case 'refused':
      throw new Failure('duplicate', { members: { status: 200, type: 'spoofed' } });
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { status: 200, body: { calm: true } };
    case 'endless':
      return new Promise<never>(() => {});
    default:
      return { status: 200, body: { calm: true } };
  }
}

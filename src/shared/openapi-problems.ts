import { z } from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import type { ProblemCode } from './failure.ts';
import { problems } from './failure.ts';
import type { ProblemGuides } from './problem-guide.ts';
import type { Route } from './route.ts';

export type HeaderDocs = Readonly<Record<string, { readonly description: string; readonly schema: { readonly type: 'string' } }>>;

/** Answers with headers that every client may rely on. */
export function headerDocs(descriptions: Readonly<Record<string, string>>): HeaderDocs {
  return Object.fromEntries(
    Object.entries(descriptions).map(([name, description]) => [name, { description, schema: { type: 'string' as const } }]),
  );
}

/** Headers of every answer, and of those that count against a quota. */
export const commonHeaders = {
  'X-Request-Id': 'Names the request in the log; an inbound one of 8 to 64 letters, digits and dashes is kept',
};
export const quotaHeaders = {
  RateLimit: 'What is left of the quota, and for how many seconds (draft-ietf-httpapi-ratelimit-headers-08)',
  'RateLimit-Policy': 'The quota and its window in seconds',
};

const statusHeaders: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Bearer (RFC 6750)' },
  429: { 'Retry-After': 'Seconds to wait', ...quotaHeaders },
  503: { 'Retry-After': 'Seconds to wait' },
};

const standardMembers = {
  title: z.string(),
  detail: z.string().meta({ description: 'What was wrong this time, for people' }),
  instance: z.string().meta({ description: 'The request id' }),
};

/** The common shape of all problems, for clients that don't look closer. */
export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: '`/problems/<slug>`: a page that explains it' }),
    status: z.int(),
    ...standardMembers,
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457)' });

/** One schema for each type of problem, with its own members. */
export function problemSchemas(guides: ProblemGuides): Readonly<Record<ProblemCode, z.ZodType>> {
  const entries = codesOf(guides).map((code) => [code, schemaOf(code, guides)] as const);
  // there is one entry for each key of `guides`
  return Object.fromEntries(entries) as Record<ProblemCode, z.ZodType>;
}

function codesOf(guides: ProblemGuides): readonly ProblemCode[] {
  // the keys of a mapped type are what it says
  return Object.keys(guides) as ProblemCode[];
}

function schemaOf(code: ProblemCode, guides: ProblemGuides): z.ZodType {
  const { status, title } = problems[code];
  const { meaning, members = {}, example = {} } = guides[code];
  const standard = {
    type: `/problems/${code}`,
    title,
    status,
    detail: meaning,
    instance: '7f9c24e8-3b1d-4c59-9f0a-2b6d1c8e5a47',
  };
  return z
    .object({ type: z.literal(`/problems/${code}`), status: z.literal(status), ...standardMembers, ...members })
    .meta({ id: `${pascalCase(code)}Problem`, title, description: meaning, examples: [{ ...standard, ...example }] });
}

function pascalCase(slug: string): string {
  return slug.replaceAll(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

/** Everything that a route can be refused with: what follows from its access, quota and body, and what it names itself. */
function problemCodesOf(route: Route): ReadonlySet<ProblemCode> {
  return new Set<ProblemCode>([
    'malformed',
    ...(route.access === 'public' ? [] : (['unauthenticated'] as const)),
    ...(route.access === 'public' || route.access === 'optional' || route.access === 'customer' ? [] : (['forbidden'] as const)),
    ...(route.body === undefined && route.streams === undefined
      ? []
      : (['too-large', 'unsupported-type', 'validation'] as const)),
    ...(route.quota === 'none' ? [] : (['throttled'] as const)),
    ...route.problems,
    ...(route.shedding === 'never' ? [] : (['overloaded'] as const)),
    'internal',
    'unavailable',
  ]);
}

/** The error answers of a route by status. */
export function problemResponses(
  route: Route,
  schemas: Readonly<Record<ProblemCode, z.ZodType>>,
): Record<string, ZodOpenApiResponseObject> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemCodesOf(route)) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [String(status), problemResponse({ status, codes, schemas })]),
  );
}

function problemResponse({
  status,
  codes,
  schemas,
}: {
  status: number;
  codes: readonly ProblemCode[];
  schemas: Readonly<Record<ProblemCode, z.ZodType>>;
}) {
  const [first = schemas.internal, ...others] = codes.map((code) => schemas[code]);
  return {
    description: codes.map((code) => `${problems[code].title} (\`${code}\`)`).join('; '),
    headers: headerDocs({ ...commonHeaders, ...statusHeaders[status] }),
    content: { 'application/problem+json': { schema: others.length === 0 ? first : z.union([first, ...others]) } },
  };
}

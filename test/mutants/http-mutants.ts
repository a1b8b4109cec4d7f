import { embedded, type Mutant } from './mutant.ts';

const body = 'src/shared/http-body.ts';
const json = 'src/shared/strict-json.ts';
const tags = 'src/shared/entity-tag.ts';
const guard = 'src/shared/http-guard.ts';
const bodies = (story: string) => embedded('request-bodies', story);
const unreadable = bodies(
  'a body that can not be read is 400 when it is not UTF-8, nested too deeply, or means different things to different readers',
);
const front = (story: string) => embedded('http-front', story);

/** The front lets nothing in that it can not read in one way, and nobody who may not. */
export const httpMutants: readonly Mutant[] = [
  {
    guard: 'a request whose client left is no success in the log',
    file: 'src/shared/access-log.ts',
    text: 'response.headersSent ? response.statusCode : clientLeft',
    mutation: 'response.statusCode',
    noticedBy: [embedded('logging', 'the request log tells of requests that could not be read and of clients that went away')],
  },
  {
    guard: 'a target without a path does not reach Express',
    file: 'src/shared/http-front.ts',
    text: "!request.url.startsWith('/') && !readPath(request)",
    mutation: 'false',
    noticedBy: [embedded('request-bodies', 'a request that can be read in two ways is logged when its target has no path')],
  },
  {
    guard: 'a body that is announced to be too large is refused at once',
    file: body,
    text: 'if (announcedBytes(request) > maxBodyBytes) throw tooLarge();',
    mutation: '',
    noticedBy: [bodies('a body that is too large is 413 as soon as its size is announced')],
  },
  {
    guard: 'a body that is not announced is cut off when it is too large',
    file: body,
    text: 'if (length <= maxBodyBytes) chunks.push(chunk);',
    mutation: 'if (length >= 0) chunks.push(chunk);',
    noticedBy: [bodies('a body that is too large is 413 at the first byte too many when it is not announced')],
  },
  {
    guard: 'a body is UTF-8',
    file: body,
    text: '{ fatal: true }',
    mutation: '{ fatal: false }',
    noticedBy: [unreadable],
  },
  {
    guard: 'a body is JSON by its type',
    file: body,
    text: 'if (!jsonType.test(type) && !(mergePatch && mergePatchType.test(type))) {',
    mutation: 'if (type === undefined) {',
    noticedBy: [bodies('a body that can not be read is 415 in another format, charset or coding')],
  },
  {
    guard: 'a text holds no NUL',
    file: body,
    text: "if (text.includes('\\\\u0000')) refuseNul(value);",
    mutation: '',
    noticedBy: [bodies('a body that breaks a rule is 422 with a NUL in a text, which no store keeps faithfully')],
  },
  {
    guard: 'JSON names a member once',
    file: json,
    text: "if (names?.has(name)) throw new JsonRefused('The body names a member twice.');",
    mutation: '',
    noticedBy: [unreadable],
  },
  {
    guard: 'JSON is not nested too deeply',
    file: json,
    text: 'if (open.length > maxDepth)',
    mutation: 'if (open.length < 0)',
    noticedBy: [unreadable],
  },
  {
    guard: 'JSON holds no name that reaches a prototype',
    file: json,
    text: "if (forbiddenNames.has(name)) throw new JsonRefused('The body has a member with a name that is not allowed.');",
    mutation: '',
    noticedBy: [unreadable],
  },
  {
    guard: 'JSON holds no half of a surrogate pair',
    file: json,
    text: "if (!content.isWellFormed()) throw new JsonRefused('The body holds half of a surrogate pair.');",
    mutation: '',
    noticedBy: [unreadable],
  },
  {
    guard: 'a body has no unknown field',
    file: 'src/modules/auth/auth-schema.ts',
    text: `export const registerBody = z
  .strictObject({`,
    mutation: `export const registerBody = z
  .object({`,
    noticedBy: [embedded('accounts', 'signing up takes nothing but a name and a password')],
  },
  {
    guard: 'a query has no unknown parameter',
    file: 'src/shared/http-input.ts',
    text: "if (!names.includes(name)) throw new Failure('malformed', { detail: unknownParameter(names) });",
    mutation: '',
    noticedBy: [front('query parameters and headers refuses ?unknown=1')],
  },
  {
    guard: 'a query names a parameter once',
    file: 'src/shared/http-input.ts',
    text: "if (parameters.has(name)) throw new Failure('malformed', { detail: `query parameter ${name}: may be sent once` });",
    mutation: '',
    noticedBy: [front('query parameters and headers refuses ?limit=1&limit=2')],
  },
  {
    guard: 'an edit says which version was read',
    file: tags,
    text: "throw new Failure('precondition-required', { detail: 'Send If-Match with the ETag of the version that you read.' });",
    mutation: 'return Array.from({ length: 1000 }, (_, version) => entityTag(version));',
    noticedBy: [
      embedded('product-editing', 'editing a product wants to know which version was read'),
      embedded('stock', 'setting the stock to what was counted wants to know which version was counted'),
    ],
  },
  {
    guard: 'an edit of another version than the one that was read is refused',
    file: tags,
    text: 'if (!tags.includes(entityTag(currentVersion))) throw versionMismatch(currentVersion);',
    mutation: '',
    noticedBy: [
      embedded('product-editing', 'editing a product wants to know which version was read'),
      embedded('stock', 'setting the stock to what was counted wants to know which version was counted'),
    ],
  },
  {
    guard: 'an edit of a product has the version that was read in its WHERE',
    file: 'src/modules/catalog/catalog-models.ts',
    text: 'timestamps: false, version: true }',
    mutation: 'timestamps: false }',
    noticedBy: [
      embedded(
        'product-editing',
        'editing a product lets one of 50 editors win although all of them write what is there already',
      ),
    ],
  },
  {
    guard: 'a weak entity tag never matches',
    file: tags,
    text: '.filter(([, weak]) => weak === undefined)',
    mutation: '',
    noticedBy: [embedded('product-editing', 'editing a product wants to know which version was read')],
  },
  {
    guard: 'a call is for those who have its role',
    file: 'src/shared/http-access.ts',
    text: 'if (principal === undefined || !hasRole(principal, access))',
    mutation: 'if (principal === undefined)',
    noticedBy: [
      front('who may call lets roles contain each other'),
      embedded('order-lifecycle', 'who may see and do what lets staff ship and sum up, and nobody else'),
    ],
  },
  {
    guard: 'a call that needs a token is refused without one',
    file: 'src/shared/http-access.ts',
    text: "if (access === 'optional') return undefined;",
    mutation: 'return undefined;',
    noticedBy: [front('who may call asks for a token, and says when the one that was sent is bad')],
  },
  {
    guard: 'a request has one token',
    file: 'src/shared/http-access.ts',
    text: "headerCount(request, 'authorization') === 1 ?",
    mutation: "headerCount(request, 'authorization') >= 1 ?",
    noticedBy: [front('who may call takes no token from the query or a cookie, and not two')],
  },
  {
    guard: 'an id of a request is a sane one',
    file: guard,
    text: "typeof inbound === 'string' && acceptedRequestId.test(inbound)",
    mutation: "typeof inbound === 'string'",
    noticedBy: [front('every answer names its request: by the id that the client sent when it is a sane one, else by a new one')],
  },
  {
    guard: 'a request has one host',
    file: guard,
    text: "if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1'))",
    mutation: 'if (hosts < 0)',
    noticedBy: [
      bodies('a request that can be read in two ways is refused: two hosts'),
      bodies('a request that can be read in two ways is refused: no host'),
    ],
  },
  {
    guard: 'only listed origins may read answers',
    file: guard,
    text: "origins.includes(request.headers.origin ?? '') ?",
    mutation: 'origins.length > 0 ?',
    noticedBy: [front('a page of another origin gets nothing from https://evil.example')],
  },
  {
    guard: 'an address is what the trusted proxies say',
    file: 'src/shared/http-front.ts',
    text: "app.set('trust proxy', options.trustProxyHops);",
    mutation: "app.set('trust proxy', true);",
    noticedBy: [
      embedded('rate-limits', 'an address is what the trusted proxy added, not what the client claims'),
      embedded('rate-limits', 'an address is the socket when no proxy is trusted'),
    ],
  },
  {
    guard: 'an address of IPv6 counts as its network',
    file: 'src/shared/http-quota.ts',
    text: '`address ${ipKeyGenerator(address, ipv6Prefix)}`',
    mutation: '`address ${address}`',
    noticedBy: [embedded('rate-limits', 'an address of IPv6 counts as its /56')],
  },
  {
    guard: 'requests are counted against their quota',
    file: 'src/shared/http-mount.ts',
    text: 'await count?.(request, response);',
    mutation: '',
    noticedBy: [
      embedded('rate-limits', 'a quota is told with every answer, and refuses what goes beyond it until the window ends'),
    ],
  },
  {
    guard: 'what is about somebody is kept by nobody',
    file: 'src/shared/http-mount.ts',
    text: "personal ? 'private, no-store' : 'no-cache'",
    mutation: "'no-cache'",
    noticedBy: [front('every answer is kept by nobody when it is personal')],
  },
  {
    guard: 'no member of a refusal replaces a standard one',
    file: 'src/shared/http-problem.ts',
    text: 'return { ...failure.members, type: `/problems/${failure.code}`, title, status, detail: failure.message, instance: requestId };',
    mutation:
      'return { type: `/problems/${failure.code}`, title, status, detail: failure.message, instance: requestId, ...failure.members };',
    noticedBy: [front('what goes wrong inside lets no member of a refusal replace the standard ones')],
  },
  {
    guard: 'a store that is down answers 503',
    file: 'src/shared/http-problem.ts',
    text: "if (isStoreDown(error)) return unavailable('A store does not answer. Try again.', error);",
    mutation: '',
    noticedBy: [front('what goes wrong inside answers 503 with Retry-After when a store is down')],
  },
  {
    guard: 'a secret is not logged under its name',
    file: 'src/shared/logger.ts',
    text: "secretNames.test(name) ? '[redacted]' : presentable(value, depth);",
    mutation: 'presentable(value, depth);',
    noticedBy: [embedded('logging', 'the logger replaces what is secret by its name, at any depth')],
  },
  {
    guard: 'a secret is not logged inside a text',
    file: 'src/shared/logger.ts',
    text: 'for (const [pattern, replacement] of secretTexts) cut = cut.replaceAll(pattern, replacement);',
    mutation: '',
    noticedBy: [embedded('logging', 'the logger replaces secrets inside texts, messages and errors')],
  },
  {
    guard: 'an overload writes no second line for each request',
    file: 'src/shared/http-problem.ts',
    text: " && failure.code !== 'overloaded')",
    mutation: ')',
    noticedBy: [
      embedded(
        'logging',
        'an error in the log stands beside the line of the request when a store is down, and not when there is too much to do',
      ),
    ],
  },
];

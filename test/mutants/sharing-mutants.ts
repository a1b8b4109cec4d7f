import { embedded, type Mutant } from './mutant.ts';

const copies = 'src/shared/versioned-copies.ts';
const cache = 'src/modules/catalog/product-cache.ts';
const counters = 'src/shared/shared-counters.ts';
const product = (story: string) => embedded('shared-products', `a product that two processes sell ${story}`);
const quota = (story: string) => embedded('shared-limits', `a quota of two processes ${story}`);
const memory = (story: string) => embedded('product-cache', `product reads from memory ${story}`);

/** What processes share through Redis is never older than it may be, and may be lost. */
export const sharingMutants: readonly Mutant[] = [
  {
    guard: 'a read that others share does not end with the time of the one who began it',
    file: cache,
    text: 'withoutDeadline(() => load(id))',
    mutation: 'load(id)',
    noticedBy: [memory('do not end with the time of the one who came first')],
  },
  {
    guard: 'a copy is filled in only when it is newer',
    file: copies,
    text: 'if version > tonumber(ARGV[1]) then return 0 end',
    mutation: '',
    noticedBy: [product('is never filled in by a read that an edit has overtaken')],
  },
  {
    guard: 'an edit leaves a marker where the copy was',
    file: copies,
    text: "if version < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1] .. ':', 'PX', ${markerMs}) end",
    mutation: "redis.call('DEL', KEYS[1])",
    noticedBy: [product('is never filled in by a read that an edit has overtaken')],
  },
  {
    guard: 'a fill that took longer than a marker lives is refused',
    file: copies,
    text: 'if at[1] * 1000 + at[2] / 1000 - tonumber(ARGV[3]) > tonumber(ARGV[5]) then return 0 end',
    mutation: '',
    noticedBy: [product('is not filled in by a process that slept over its reading')],
  },
  {
    guard: 'an edit is told to the other processes',
    file: copies,
    text: "redis.call('PUBLISH', ARGV[2], ARGV[3])",
    mutation: '',
    noticedBy: [product('shows an edit to both, long before its copies would have ended by themselves')],
  },
  {
    guard: 'an edit that Redis has not heard of is told again',
    file: copies,
    text: 'const retrying = setInterval(() => void (pending.size > 0 && sendAll()), retryMs);',
    mutation: 'const retrying = setInterval(() => void (pending.size < 0 && sendAll()), retryMs);',
    noticedBy: [product('is outdated late by a process that was cut off from Redis alone')],
  },
  {
    guard: 'a process does not trust copies of what it has edited itself and Redis has not heard of',
    file: copies,
    text: 'if (life === undefined || missedSome || pending.has(id)) return nothing;',
    mutation: 'if (life === undefined || missedSome) return nothing;',
    noticedBy: [product('is never filled in by a read that an edit has overtaken')],
  },
  {
    guard: 'a copy is believed when it is this product in the version that it says',
    file: 'src/modules/catalog/shared-products.ts',
    text: 'copy !== undefined && copy.id === id && copy.version === found?.version',
    mutation: 'copy !== undefined',
    noticedBy: [
      product('is read from the database when the copy is another product'),
      product('is read from the database when the copy is another version than it says'),
    ],
  },
  {
    guard: 'a copy is believed when it is a product at all',
    file: 'src/modules/catalog/shared-products.ts',
    text: 'const { data } = copied.safeParse(JSON.parse(text));',
    mutation: 'const data: ReturnType<typeof copied.parse> = JSON.parse(text);',
    noticedBy: [product('is read from the database when the copy is a wrong price')],
  },
  {
    guard: 'reads of one product that come together are one read of the store',
    file: cache,
    text: '(await (loads.get(id) ?? startLoad(id)))',
    mutation: '(await startLoad(id))',
    noticedBy: [memory('are one read of the store, also when many come before it ends')],
  },
  {
    guard: 'a read that an edit has overtaken leaves nothing behind',
    file: cache,
    text: 'if (loads.get(id) === loading) {',
    mutation: '{',
    noticedBy: [memory('leave nothing behind when an edit overtook them')],
  },
  {
    guard: 'an edit ends the reads that began before it',
    file: cache,
    text: 'loads.delete(id);\n      products.delete(id);',
    mutation: 'products.delete(id);',
    noticedBy: [memory('after an edit never join a read that began before it')],
  },
  {
    guard: 'what an edit changed is not answered from memory any more',
    file: 'src/modules/catalog/product-store.ts',
    text: 'onChanged(id, current.version + 1);',
    mutation: '',
    noticedBy: [
      embedded('product-editing', 'editing a product is seen by anonymous readers from the moment at which it is answered'),
    ],
  },
  {
    guard: 'beside other processes a copy in memory is a second old at most',
    file: cache,
    text: '...(maxAgeMs !== undefined && { ttl: maxAgeMs })',
    mutation: '',
    noticedBy: [memory('get no older than they may, counted from the beginning of the read')],
  },
  {
    guard: 'each process admits its share of a quota while Redis is down',
    file: counters,
    text: 'const total = reachable || limit === undefined ?',
    mutation: 'const total = reachable || limit !== undefined ?',
    noticedBy: [quota('is shared out evenly while Redis is gone'), quota('is shared out evenly while Redis is frozen')],
  },
  {
    guard: 'a counter that Redis lost comes back from the processes',
    file: 'src/shared/counter-merge.ts',
    text: "current = window ~= '' and window or at[1]",
    mutation: 'current = at[1]',
    noticedBy: [quota('is not forgotten when Redis restarts empty')],
  },
  {
    guard: 'an exact quota is counted over all processes before the request goes on',
    file: 'src/shared/shared-quota.ts',
    text: 'if (!exact) return',
    mutation: 'return',
    noticedBy: [quota('is one, to the request, where it is exact')],
  },
  {
    guard: 'a call to Redis whose answer was lost is not made again',
    file: 'src/shared/redis.ts',
    text: `    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // else a cut makes it send what may have been done already
    autoResendUnfulfilledCommands: false,
`,
    mutation: '',
    noticedBy: [embedded('redis', 'a call to Redis whose answer was lost is not made again')],
  },
  {
    guard: 'a right that Redis refuses is not asked for again and again',
    file: 'src/shared/redis.ts',
    text: 'if (!isReply(error) || isPassing(error)) return reconnect(connection);',
    mutation: 'return reconnect(connection);',
    noticedBy: ['info', 'subscribe'].map((command) =>
      embedded('redis', `a Redis that refuses a right (${command}) is told of once, and stays connected`),
    ),
  },
  {
    guard: 'a Redis that was busy is asked again',
    file: 'src/shared/redis.ts',
    text: ' || isPassing(error)) return',
    mutation: ') return',
    noticedBy: [embedded('redis', 'a Redis that is busy for a moment is connected to anew')],
  },
  {
    guard: 'Redis is left alone for a while when it does not answer',
    file: 'src/shared/redis.ts',
    text: 'breaker.run(() => withDeadline(work()))',
    mutation: 'withDeadline(work())',
    noticedBy: [
      embedded('redis', 'a call to Redis is refused without a try after three in vain, and tried again a second later'),
    ],
  },
  {
    guard: 'staff see no copy of a product',
    file: 'src/modules/catalog/product-routes.ts',
    text: 'await (editsProducts ? store : cache).read(params.id)',
    mutation: 'await cache.read(params.id)',
    noticedBy: [
      embedded(
        'shared-products',
        'a product that two processes sell is never shown from a copy to staff, who edit what they see',
      ),
    ],
  },
];

import { checkers, violationsOf } from './faults/checkers.ts';
import type { Evidence, OrderView, View } from './faults/evidence.ts';
import type { Operation } from './faults/history.ts';

/** Two buyers, three orders, an edit and a count: the evidence of a shop in which everything is as it should be. */

const order = (id: string, change: Partial<OrderView> = {}): OrderView => ({
  id,
  userId: 'user-ann',
  status: 'placed',
  version: 1,
  items: [{ productId: 'mug', quantity: 2, unitPrice: { amount: 100 }, lineTotal: { amount: 200 } }],
  total: { amount: 200 },
  createdAt: '2026-11-27T10:00:00.000Z',
  ...change,
});

const at = (startedAt: number, operation: Pick<Operation, 'kind' | 'outcome'> & Partial<Operation>): Operation => ({
  user: 'ann',
  startedAt,
  endedAt: startedAt + 10,
  ...(operation.outcome !== 'unknown' && { status: operation.outcome === 'ok' ? 200 : 409 }),
  ...operation,
});

const items = [{ productId: 'mug', quantity: 2 }];
const place = (startedAt: number, key: string, body: OrderView) =>
  at(startedAt, { kind: 'place', outcome: 'ok', key, items, body });
const read = (startedAt: number, body: OrderView) => at(startedAt, { kind: 'read-order', outcome: 'ok', orderId: body.id, body });
const edit = (startedAt: number, change: Partial<Operation> = {}) =>
  at(startedAt, { kind: 'edit', outcome: 'ok', user: 'staff', productId: 'mug', base: 1, price: 150, name: 'Mug', ...change });

const operations: readonly Operation[] = [
  at(0, { kind: 'login', outcome: 'ok', body: { user: { id: 'user-ann' } } }),
  place(100, 'one', order('A')),
  at(200, { kind: 'place', outcome: 'unknown', key: 'two', items }),
  place(300, 'two', order('B')),
  place(400, 'two', order('B')),
  read(500, order('A', { status: 'confirmed', version: 2 })),
  at(600, { kind: 'cancel', outcome: 'ok', orderId: 'B', body: order('B', { status: 'cancelled', version: 3 }) }),
  edit(700),
  at(800, { kind: 'adjust', outcome: 'ok', user: 'staff', productId: 'mug', delta: 3, key: 'count' }),
  at(900, { kind: 'place', outcome: 'fail', key: 'three', items }),
];

const view = (process: string, change: Partial<View> = {}): View => ({
  process,
  orders: new Map([
    ['A', order('A', { status: 'confirmed', version: 2 })],
    ['B', order('B', { status: 'cancelled', version: 3 })],
  ]),
  listed: new Map([['user-ann', ['B', 'A']]]),
  products: new Map([['mug', { version: 2, name: 'Mug', price: 150 }]]),
  stock: new Map([['mug', { onHand: 11, reserved: 0 }]]),
  ...change,
});

const line = (members: object) => `${JSON.stringify({ level: 'info', time: '2026-11-27T10:00:00.000Z', ...members })}\n`;
const log =
  line({ security: 'signed-in', userId: 'user-ann' }) + line({ msg: 'request', requestId: 'r', route: '/x', status: 200 });

const sound: Evidence = {
  operations,
  products: [{ id: 'mug', sku: 'MUG', initialStock: 10, initialPrice: 100 }],
  views: [view('shop 1'), view('shop 2')],
  timelines: new Map([
    ['A', entries('placed', 'confirmed')],
    ['B', entries('placed', 'confirmed', 'cancelled')],
  ]),
  findings: [],
  findingsUnderLoad: [],
  doubledEffects: [],
  backlog: { events: 0, held: 0 },
  recoveryMs: 500,
  baselineMs: 200,
  lives: [{ log, stderr: '', killed: false }],
  ownLives: [{ log, stderr: '', killed: false }],
  canaries: ['canary-password'],
  revocations: [
    { process: 'shop 1', afterMs: 1000, status: 200 },
    { process: 'shop 1', afterMs: 6000, status: 401 },
  ],
  sessions: [{ user: 'ann', ended: false, statuses: [200, 401] }],
  limits: [{ limit: 10, allowed: 10, refused: 20, failed: 0, torn: false }],
  foreignReads: [{ process: 'shop 1', status: 404 }],
  livenessMs: [3],
  freezes: [],
  descriptors: [{ process: 'shop 1', before: 30, after: 40 }],
};

function entries(...statuses: readonly string[]) {
  return statuses.map((status, index) => ({ status, sequence: index + 1 }));
}

/** Further operations come before the others, so that nothing depends on the order in which they were written down. */
const also = (...further: readonly Operation[]): Partial<Evidence> => ({ operations: [...further, ...operations] });
const without = (kind: Operation['kind']) => operations.filter((operation) => operation.kind !== kind);
const seen = (change: Partial<View>): Partial<Evidence> => ({ views: [view('shop 1'), view('shop 2', change)] });
const finding = (invariant: string) => ({ findings: [{ invariant, subject: 'row', detail: 'is off' }] });

/** By invariant: what is broken in words, and the evidence of it. */
const broken: Readonly<Record<string, Readonly<Record<string, Partial<Evidence>>>>> = {
  'I-01': {
    'a piece too many was sold': seen({ stock: new Map([['mug', { onHand: 10, reserved: 0 }]]) }),
    'more is reserved than there is': seen({ stock: new Map([['mug', { onHand: 11, reserved: 12 }]]) }),
    'a count is lost': { operations: without('adjust') },
    'the stock is gone': seen({ stock: new Map() }),
    'the audit says so under load': { findingsUnderLoad: finding('I-01').findings },
    'the audit says so in the end': finding('I-01'),
  },
  'I-02': { 'the audit says so': finding('I-02') },
  'I-03': {
    'an order was shipped before it was confirmed': {
      timelines: new Map([...sound.timelines, ['C', entries('placed', 'shipped')]]),
    },
    'the history has a gap': {
      timelines: new Map([
        ...sound.timelines,
        ['C', entries('placed', 'confirmed').map((entry) => ({ ...entry, sequence: entry.sequence * 2 - 1 }))],
      ]),
    },
    'a client saw a step back': also(read(510, order('B', { status: 'confirmed', version: 2 })), read(900, order('B'))),
    'an order is not what its history says': { timelines: new Map([...sound.timelines, ['A', entries('placed')]]) },
    'the audit says so': finding('I-03'),
  },
  'I-04': {
    'a key has two orders': { ...also(place(450, 'two', order('A'))) },
    'a key has two bodies': also(place(450, 'two', order('B', { createdAt: '2026-11-27T11:00:00.000Z' }))),
    'two keys have one order': also(place(450, 'four', order('B'))),
    'the audit says so': finding('I-04'),
  },
  'I-05': {
    'an acknowledged order is gone on one process': seen({
      orders: new Map([['A', order('A', { status: 'confirmed', version: 2 })]]),
    }),
    'an acknowledged order is in no list': seen({ listed: new Map([['user-ann', ['A']]]) }),
    'an acknowledged order has other lines': seen({
      orders: new Map([...view('').orders, ['A', order('A', { status: 'confirmed', version: 2, total: { amount: 1 } })]]),
    }),
    'an acknowledged cancel is lost': also(
      at(650, { kind: 'cancel', outcome: 'ok', orderId: 'A', body: order('A', { version: 3 }) }),
    ),
  },
  'I-06': { 'a refused order is there': seen({ listed: new Map([['user-ann', ['B', 'A', 'C']]]) }) },
  'I-07': {
    'two edits of one version were accepted': also(edit(710, { price: 150 })),
    'an accepted edit is lost': seen({ products: new Map([['mug', { version: 2, name: 'Mug', price: 100 }]]) }),
    'the version did not move': seen({ products: new Map([['mug', { version: 1, name: 'Mug', price: 100 }]]) }),
  },
  'I-08': { 'a name has two users': also(at(20, { kind: 'register', outcome: 'ok', body: { user: { id: 'user-bob' } } })) },
  'I-09': { 'the audit says so': finding('I-09') },
  'I-10': { 'the audit says so': finding('I-10') },
  'I-11': {
    'pieces left the shelf twice': { doubledEffects: ['reservation X has 2 movements sale'] },
  },
  'I-12': {
    'an order has lines that nobody asked for': also({
      ...place(450, 'two', order('B')),
      items: [{ productId: 'cup', quantity: 2 }],
    }),
    'an order does not add up': also(place(450, 'four', order('D', { total: { amount: 1 } }))),
    'the audit says so': finding('I-12'),
  },
  'I-14': { 'a revoked token is taken after 5 s': { revocations: [{ process: 'shop 2', afterMs: 5100, status: 200 }] } },
  'I-15': {
    'two refresh tokens live': { sessions: [{ user: 'ann', ended: false, statuses: [200, 200] }] },
    'the newest is dead': { sessions: [{ user: 'ann', ended: false, statuses: [401] }] },
    'one outlived its session': { sessions: [{ user: 'ann', ended: true, statuses: [401, 200] }] },
    'nobody knows whether one did': { sessions: [{ user: 'ann', ended: true, statuses: [503] }] },
  },
  'I-16': { 'the own order is not found': also(at(460, { kind: 'read-order', outcome: 'fail', status: 404, orderId: 'A' })) },
  'I-17': {
    'a price came too late': also(place(1000, 'four', order('A'))),
    'a price came too early': also(
      edit(2000, { base: 2, price: 200, name: 'Mug' }),
      place(
        1500,
        'five',
        order('A', {
          items: [{ productId: 'mug', quantity: 2, unitPrice: { amount: 200 }, lineTotal: { amount: 400 } }],
          total: { amount: 400 },
        }),
      ),
    ),
  },
  'I-18': {
    'more than the limit': { limits: [{ limit: 10, allowed: 11, refused: 19, failed: 0, torn: false }] },
    'more than twice the limit when Redis is lost meanwhile': {
      limits: [{ limit: 10, allowed: 21, refused: 9, failed: 0, torn: true }],
    },
    'nobody at all': { limits: [{ limit: 10, allowed: 0, refused: 30, failed: 0, torn: false }] },
  },
  'I-19': { 'a stranger reads an order': { foreignReads: [{ process: 'shop 2', status: 200 }] } },
  'I-21': { 'a process was late to say that it lives': { livenessMs: [3, 2500] } },
  'I-22': {
    'a request took too long': also(at(0, { kind: 'read-stock', outcome: 'ok', endedAt: 12_000 })),
    'a request took too long beside a freeze': {
      ...also(at(0, { kind: 'read-stock', outcome: 'ok', endedAt: 12_000 })),
      freezes: [{ since: -5000, until: 5000 }],
    },
    'an answer of 500': also(at(0, { kind: 'read-stock', outcome: 'unknown', status: 500 })),
    'a 503 that does not say when': also(at(0, { kind: 'read-stock', outcome: 'unknown', status: 503 })),
  },
  'I-23': {
    'it took too long': { recoveryMs: 10_500 },
    'an event is left': { backlog: { events: 1, held: 0 } },
    'a reservation is left': { backlog: { events: 0, held: 1 } },
  },
  'I-24': { 'connections pile up': { descriptors: [{ process: 'shop 1', before: 30, after: 100 }] } },
  'I-25': {
    'a password is in the log': { lives: [{ log: log + line({ text: 'canary-password' }), stderr: '', killed: false }] },
    'a password is in an answer': also(at(0, { kind: 'login', outcome: 'fail', status: 401, text: 'canary-password' })),
    'a stack is in an answer': also(
      at(0, { kind: 'login', outcome: 'fail', status: 400, text: 'Error\n    at x (/src/app.ts:1:1)' }),
    ),
  },
  'I-26': {
    'a line is no JSON': { lives: [{ log: `${log}oops\n`, stderr: '', killed: false }] },
    'a line of a request has no route': {
      lives: [{ log: log + line({ msg: 'request', requestId: 'r', status: 200 }), stderr: '', killed: false }],
    },
    'the last line has no end': { lives: [{ log: `${log}{"level":`, stderr: '', killed: false }] },
  },
  'I-27': {
    'a sign-in is not in the log': { ownLives: [{ log: '', stderr: '', killed: false }] },
    'a sign-in is not in the log, and a process was killed before the fault': {
      lives: [
        { log: '', stderr: '', killed: true },
        { log, stderr: '', killed: false },
      ],
      ownLives: [{ log: '', stderr: '', killed: false }],
    },
  },
};

describe('the checkers of the fault suite', () => {
  it('find nothing in a shop where all is well', () => {
    expect(violationsOf(sound)).toEqual(new Map());
  });

  it('find nothing in what a killed process left unfinished or could not write down, or a key that was never answered', () => {
    const lives = [{ log: `${line({})}{"level":`, stderr: '', killed: true }];
    expect(violationsOf({ ...sound, lives, ownLives: lives })).toEqual(new Map());
    const full = { ...sound, ownLives: [{ log: '', stderr: '', killed: false, logLost: true }] };
    expect(violationsOf(full)).toEqual(new Map());
    const open = { ...sound, ...also(at(200, { kind: 'place', outcome: 'unknown', key: 'open', items })) };
    const listed = { views: [view('shop 1', { listed: new Map([['user-ann', ['B', 'A', 'C']]]) })] };
    expect(violationsOf({ ...open, ...listed })).toEqual(new Map());
  });

  it('notice that it never recovered', () => {
    const { recoveryMs: _, ...never } = sound;
    expect([...violationsOf(never).keys()]).toEqual(['I-23']);
  });

  it.each(
    Object.entries(broken).flatMap(([invariant, cases]) =>
      Object.entries(cases).map(([what, change]) => [invariant, what, change] as const),
    ),
  )('%s notices: %s', (invariant, _what, change) => {
    const found = violationsOf({ ...sound, ...change });
    expect(found.get(invariant) ?? []).not.toEqual([]);
  });

  it.each(['I-08', 'I-11', 'I-15', 'I-17', 'I-31'])('take over what the audit finds of %s', (invariant) => {
    expect([...violationsOf({ ...sound, ...finding(invariant) }).keys()]).toEqual([invariant]);
  });

  it('are all shown to be alive', () => {
    expect(Object.keys(broken).sort()).toEqual([...new Set(checkers.map(({ invariant }) => invariant))].sort());
  });
});

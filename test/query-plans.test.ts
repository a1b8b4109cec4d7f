import { listDeadEvents, redriveDeadEvents } from '../src/modules/orders/index.ts';
import type { Database } from '../src/shared/database.ts';
import { fetchDocument } from './harness/documented-answers.ts';
import { everyOperation } from './harness/every-operation.ts';
import { fillTables } from './harness/large-tables.ts';
import { type NotedShop, startNotedShop } from './harness/noted-shop.ts';
import { noteStatements, type Statement } from './harness/noted-statements.ts';
import { type Fault, faultsOf, planOf, rowsRead } from './harness/query-plan.ts';
import { type QueueService, startQueue } from './harness/queue.ts';
import { schemaIndexes } from './harness/schema-indexes.ts';
import type { Account } from './harness/shop.ts';

/**
 * The shop on large tables: every operation with all its filters, and every background task, are run once and all their statements
 * are noted. What a statement costs must not grow with the tables, so each has to find its rows by an index.
 */

/** What sorts, or goes through all that there is, for a reason. */
const allowed: readonly { readonly statement: RegExp; readonly may: Fault['what']; readonly because: string }[] = [
  {
    statement: /FROM catalog_search/,
    may: 'sorts',
    because: 'words are found first, and what they find is sorted: it costs what is found, not what there is',
  },
  {
    statement: /price_amount [<>]= \?.* ORDER BY (?:name_key|created_at)/s,
    may: 'sorts',
    because: 'at most 1,000 products are sorted',
  },
  { statement: /GROUP BY currency$/, may: 'sorts', because: 'the orders of the hours that are still open, a few currencies' },
  {
    statement: /FROM orders_orders +ORDER BY id DESC LIMIT \d+$/,
    may: 'scans',
    because: 'the newest orders, in the order of the table',
  },
  { statement: /shop_migrations/, may: 'scans', because: 'a row for each step of the schema' },
];
/** More than any page, batch or open day has. */
const mostRowsRead = 3000;
/** of one text with several parameters so many are looked at: a planner looks at them too */
const variants = 6;

let noted: NotedShop;
let queue: QueueService;
let db: Database;
let statements: readonly Statement[];
/** names of query parameters by path */
const asked = new Map<string, Set<string>>();
let clockOffsetMs = 0;

beforeAll(async () => {
  queue = await startQueue();
  const env = { SQS_QUEUE_URL: queue.settings.queueUrl, SQS_ENDPOINT: queue.settings.endpoint ?? '' };
  noted = await startNotedShop({ env, now: () => Date.now() + clockOffsetMs });
  ({ db } = noted.notes.stores());
  const customer = await noted.shop.signUp();
  const { id: productId } = await noted.shop.makeProduct();
  await fillTables(db, { userId: customer.id, productId });
  noted.notes.statements.length = 0;
  await askEverything(customer, productId);
  await workEverything(customer);
  statements = distinct(noted.notes.statements);
}, 300_000);
afterAll(async () => {
  await noted.shop.stop();
  await queue.close();
});

type Query = Readonly<Record<string, string>>;

async function askEverything(customer: Account, productId: string): Promise<void> {
  const staff = await noted.shop.staff();
  const products: readonly (readonly Query[])[] = [
    [{}, { q: 'item471' }],
    [{}, { category: 'Category 7' }],
    [{}, { sku: 'LARGE-471' }],
    [{}, { minPrice: '10' }, { maxPrice: '4900' }, { minPrice: '100', maxPrice: '105' }],
    ['name', '-name', 'price', '-price', 'createdAt', '-createdAt'].map((sort) => ({ sort })),
  ];
  for (const query of combinations(products)) await walk(customer, '/api/products', query);
  await walk(customer, '/api/products', { include: 'stock' });
  const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
  const orders: readonly (readonly Query[])[] = [
    [{}, { status: 'confirmed' }, { status: 'delivered' }],
    [{}, { from: day(300) }],
    [{}, { to: day(200) }],
  ];
  for (const query of combinations(orders)) await walk(customer, '/api/orders', query);
  for (const query of combinations([...orders, [{}, { userId: customer.id }]])) await walk(staff, '/api/orders', query);
  await walk(staff, '/api/orders/summary', { from: day(300), to: day(0) });
  await walk(staff, '/api/products/{id}/stock/movements', { id: productId });
  await walk(customer, '/api/products/{id}', { id: productId, include: 'stock' });
  for (const operation of Object.values(everyOperation)) await (await operation(noted, false))();
  // an order of many lines makes long lists of ids
  await (await everyOperation.placeOrder?.(noted, true))?.();
}

function combinations(sets: readonly (readonly Query[])[]): readonly Query[] {
  return sets.reduce<readonly Query[]>((all, set) => all.flatMap((one) => set.map((other) => ({ ...one, ...other }))), [{}]);
}

/** The first page and the one after it. */
async function walk({ api }: Account, path: string, { id = '', ...query }: Query): Promise<void> {
  const isList = !['summary', '{id}'].some((end) => path.endsWith(end));
  const first = new URLSearchParams({ ...(isList && { limit: '5' }), ...query });
  const url = path.replace('{id}', id);
  const { body } = await api.get(`${url}?${first}`).expect(200);
  const names = asked.get(path) ?? new Set();
  for (const name of first.keys()) names.add(name);
  asked.set(path, names);
  if (typeof body.nextCursor !== 'string') return;
  names.add('cursor');
  await api.get(`${url}?${new URLSearchParams({ ...Object.fromEntries(first), cursor: body.nextCursor })}`).expect(200);
}

async function workEverything(customer: Account): Promise<void> {
  const { id: productId } = await noted.shop.makeProduct();
  await noted.shop.place(customer, [{ productId, quantity: 1 }]).expect(201);
  queue.faultOf = () => ({ refuse: () => true });
  await noted.work('orders-relay').catch(() => undefined);
  queue.faultOf = () => 'none';
  // an account is erased some time after it ended
  const leaving = await noted.shop.signUp();
  await noted.shop.place(leaving, [{ productId, quantity: 1 }]).expect(201);
  await leaving.api.post('/api/auth/delete').send({ password: leaving.password }).expect(204);
  clockOffsetMs = 60_000;
  for (const task of noted.tasks) if (task.name !== 'orders-consumer') await task.run(AbortSignal.timeout(60_000));
  const listened = noteStatements(db, noted.notes.statements);
  const dead = await listDeadEvents(listened, 10);
  await redriveDeadEvents(
    listened,
    dead.map(({ id }) => id),
  );
}

function distinct(all: readonly Statement[]): readonly Statement[] {
  const planned = all.filter(({ sql }) => /^\s*(?:SELECT|UPDATE|DELETE)\b/.test(sql));
  const byText = Map.groupBy(planned, ({ sql }) => sql.replace(/\((?:\?,?)+\)/g, '(?)'));
  return [...byText.values()].flatMap((alike) => {
    const different = new Map(alike.map((statement) => [JSON.stringify(statement.params), statement]));
    const sorted = [...different.values()].sort((one, other) => one.params.length - other.params.length);
    return sorted.length <= variants ? sorted : [...sorted.slice(0, variants - 1), ...sorted.slice(-1)];
  });
}

const isAllowed = ({ sql }: Statement, { what }: Fault) =>
  allowed.some(({ statement, may }) => may === what && statement.test(sql));
const inWords = ({ sql, params }: Statement) => `${sql.replace(/\s+/g, ' ')} ← ${JSON.stringify(params.slice(0, 10))}`;

async function faultyPlans(some: readonly Statement[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const statement of some) {
    const faults = faultsOf(db.dialect, await planOf(db, statement)).filter((fault) => !isAllowed(statement, fault));
    if (faults.length > 0) found.push(`${faults.map(({ what, line }) => `${what}: ${line}`).join(' | ')}: ${inWords(statement)}`);
  }
  return found;
}

it('nothing waits for a connection while its caller holds one', () => {
  expect(noted.notes.nested).toEqual([]);
});

it('every operation, filter and task was looked at', async () => {
  const { paths } = await fetchDocument(noted.shop.url);
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  expect(Object.keys(everyOperation).sort()).toEqual(operations.map(({ operationId }) => operationId).sort());
  const inSql = Object.entries(paths).filter(([path]) => /^\/api\/(?:products|orders)/.test(path));
  for (const [path, { get }] of inSql) {
    const names = (get?.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    expect([path, [...(asked.get(path) ?? [])].sort()]).toEqual([path, names.sort()]);
  }
  const tables = ['products', 'stock', 'stock_movements', 'reservations', 'reservation_lines', 'search'].map(
    (name) => `catalog_${name}`,
  );
  tables.push(
    ...['orders', 'lines', 'history', 'claims', 'outbox', 'inbox', 'days', 'closed_days', 'hours'].map(
      (name) => `orders_${name}`,
    ),
  );
  for (const table of tables) expect(statements.some(({ sql }) => new RegExp(`\\b${table}\\b`).test(sql))).toBe(true);
});

it('every statement finds its rows by an index', async () => {
  expect(await faultyPlans(statements)).toEqual([]);
});

it('every statement reads few rows', async () => {
  if (db.dialect === 'sqlite') return;
  const found: string[] = [];
  for (const statement of statements) {
    const read = await rowsRead(db, statement);
    if (read > mostRowsRead) found.push(`${read} rows: ${inWords(statement)}`);
  }
  expect(found).toEqual([]);
}, 120_000);

it('every index is needed: without it a statement goes through the table, or is refused', async () => {
  const unused: string[] = [];
  for (const { name, table, drop, create } of await schemaIndexes(db)) {
    await db.transaction((tx) => tx.run(drop), { unhurried: true });
    // only a statement that runs makes a connection of the embedded store notice that the schema has changed
    await db.rows('SELECT name FROM shop_migrations');
    const concerned = statements.filter(({ sql }) => sql.includes(table));
    const refused = () => ['refused'];
    if ((await faultyPlans(concerned).catch(refused)).length === 0) unused.push(name);
    await db.transaction((tx) => tx.run(create), { unhurried: true });
  }
  expect(unused).toEqual([]);
}, 180_000);

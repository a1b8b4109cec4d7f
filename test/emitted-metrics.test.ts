import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { metricNamespace, routeClasses, type ShopMetric, shopMetrics } from '../infra/lib/metrics.ts';
import { temporaryFolder } from './child-process.ts';
import { type ReadMetric, readMetrics } from './harness/embedded-metrics.ts';
import { eventually } from './harness/eventually.ts';
import { type QueueService, startQueue } from './harness/queue.ts';
import { startServer } from './harness/server-process.ts';
import { makeShopStores, type ShopStores } from './harness/stores.ts';

/**
 * What the dashboard and the alarms of infra/ go by, traced to lines that a running shop wrote to its standard output. A test of
 * infra/ compares the same list with the templates.
 */

const folder = temporaryFolder();
const admin = { username: 'admin', password: 'the first admin of all' };
let stores: ShopStores;
let queue: QueueService;
let emitted: readonly ReadMetric[] = [];

const metrics: readonly (readonly [string, ShopMetric])[] = Object.entries(shopMetrics);
const expected = metrics.flatMap(([name, { unit, dimensions }]) =>
  dimensions.length === 0
    ? [{ name, unit, dimension: {} }]
    : routeClasses.map((RouteClass) => ({ name, unit, dimension: { RouteClass } })),
);
const valuesOf = (name: string) => emitted.filter((metric) => metric.name === name).flatMap(({ values }) => values);

beforeAll(async () => {
  stores = await makeShopStores();
  queue = await startQueue();
  // the second life finds what was put aside in the first
  const first = await liveThrough('first', business);
  await putAside(stores.variables.MYSQL_URL ?? '');
  const second = await liveThrough('second', auditedOnce);
  emitted = [...first, ...second];
}, 120_000);

afterAll(async () => {
  await queue.close();
  await stores.remove();
  folder.remove();
});

describe('a running shop', () => {
  it.each(expected)('writes $name ($unit) of $dimension', ({ name, unit, dimension }) => {
    const found = emitted.filter((metric) => metric.name === name && same(metric.dimension, dimension));
    expect(found.length).toBeGreaterThan(0);
    for (const metric of found) expect(metric).toMatchObject({ namespace: metricNamespace, unit });
  });

  it('writes no other', () => {
    const known = (metric: ReadMetric) =>
      expected.some((one) => one.name === metric.name && same(one.dimension, metric.dimension));
    expect(emitted.filter((metric) => !known(metric))).toEqual([]);
  });

  it('counts in them what happened', () => {
    for (const name of ['Orders', 'OutOfStock', 'CacheHits', 'CacheMisses', 'Sheds', 'DeadLetters', 'AuditFindings', 'Errors'])
      expect({ name, most: Math.max(...valuesOf(name)) > 0 }).toEqual({ name, most: true });
    for (const name of ['LatencyMs', 'PoolWaitMs', 'QueueAgeSeconds']) expect(Math.max(...valuesOf(name))).toBeGreaterThan(0);
  });
});

/** Starts the program, has something happen in it and ends it in order. Answers the metrics that it wrote. */
async function liveThrough(
  name: string,
  happens: (url: string, log: () => string) => Promise<void>,
): Promise<readonly ReadMetric[]> {
  const logFile = join(folder.path, `${name}.log`);
  const { queueUrl, endpoint = '' } = queue.settings;
  const env = {
    ...stores.variables,
    ...{ SQS_QUEUE_URL: queueUrl, SQS_ENDPOINT: endpoint, AUDIT_INTERVAL_SECONDS: '1' },
    ...{ ADMIN_USERNAME: admin.username, ADMIN_PASSWORD: admin.password },
  };
  const server = await startServer(env, { logFile });
  const log = () => readFileSync(logFile, 'utf8');
  await happens(server.url, log);
  expect(await server.kill('SIGTERM')).toBe(0);
  return log().trimEnd().split('\n').flatMap(readMetrics);
}

/** Everything that a shop counts, through its public door. */
async function business(url: string): Promise<void> {
  const ask = asking(url);
  const { accessToken: staff } = await ask('POST', '/api/auth/login', { body: admin, status: 200 });
  const account = { username: 'buyer', password: 'a password of the buyer' };
  const { accessToken: buyer } = await ask('POST', '/api/auth/register', { body: account, status: 201 });
  const product = { sku: 'S', name: 'Lamp', price: { amount: 100, currency: 'GBP' }, initialStock: 100_000 };
  const { id: productId } = await ask('POST', '/api/products', { body: product, token: staff, status: 201 });
  for (let read = 0; read < 2; read++) await ask('GET', `/api/products/${productId}`, { status: 200 });
  const order = (quantity: number) => ({ token: buyer, body: { items: [{ productId, quantity }] } });
  const { id } = await ask('POST', '/api/orders', { ...order(1), status: 201 });
  await ask('POST', '/api/orders', { ...order(100_001), status: 409 });
  await eventually(async () => {
    const { status } = await ask('GET', `/api/orders/${id}`, { token: buyer, status: 200 });
    expect(status).toBe('confirmed');
  }, 10_000);
  await crowd(url, { token: buyer, body: JSON.stringify(order(1).body), productId: String(productId) });
}

const crowdSize = 2000;

/** More orders at once than there is room for, because none can be finished while somebody holds the row of the product. */
async function crowd(
  url: string,
  { token, body, productId }: { token: string | undefined; body: string; productId: string },
): Promise<void> {
  const holder = await mysql.createConnection(stores.variables.MYSQL_URL ?? '');
  await holder.beginTransaction();
  await holder.query('SELECT 1 FROM catalog_stock WHERE product_id = ? FOR UPDATE', [productId]);
  const agent = new Agent({ maxSockets: crowdSize });
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Content-Length': body.length };
  const statuses = await Promise.all(
    Array.from(
      { length: crowdSize },
      () =>
        new Promise<number>((resolve, reject) => {
          request(`${url}/api/orders`, { method: 'POST', agent, headers }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode ?? 0));
          })
            .on('error', reject)
            .end(body);
        }),
    ),
  );
  agent.destroy();
  await holder.rollback();
  await holder.end();
  expect([...new Set(statuses)].filter((status) => status !== 201)).toEqual([503]);
}

async function auditedOnce(_url: string, log: () => string): Promise<void> {
  await eventually(async () => expect(log()).toContain('the audit found'), 30_000);
}

/** As an outbox does whose events nobody could handle. */
async function putAside(url: string): Promise<void> {
  const db = await mysql.createConnection(url);
  await db.query('UPDATE orders_outbox SET published_at = NULL, dead_at = UTC_TIMESTAMP(3) LIMIT 1');
  await db.end();
}

interface Wanted {
  readonly body?: object;
  readonly token?: string | undefined;
  readonly status: number;
}

function asking(url: string) {
  return async (method: string, path: string, { body, token, status }: Wanted): Promise<Record<string, string>> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'Content-Type': 'application/json',
        'Idempotency-Key': randomUUID(),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, string>; // as the contract of the wire says
    expect([path, response.status, answer]).toEqual([path, status, answer]);
    return answer;
  };
}

function same(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

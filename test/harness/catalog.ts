import { pino } from 'pino';
import { type Catalog, type CatalogDependencies, createCatalog, type ReservationItem } from '../../src/modules/catalog/index.ts';
import { problemGuides } from '../../src/problem-guides.ts';
import type { Database } from '../../src/shared/database.ts';
import { Failure } from '../../src/shared/failure.ts';
import { createFront, type FrontOptions } from '../../src/shared/http-front.ts';
import { createHttpServer } from '../../src/shared/http-server.ts';
import { newId } from '../../src/shared/identifier.ts';
import { migrate } from '../../src/shared/migrations.ts';
import type { Role } from '../../src/shared/principal.ts';
import { createReadiness } from '../../src/shared/readiness.ts';
import { checkedAgent } from './checked-agent.ts';
import { documentedAnswers, fetchDocument, textOf } from './documented-answers.ts';
import { openStore } from './stores.ts';

/** The catalog behind the real HTTP front, on a store of its own. */

/** Nothing that is logged as an error is expected. */
const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }));

/** biome-ignore lint/suspicious/noExplicitAny: bodies are looked at as a client would, without types */
type Json = any;

export interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

export interface Sending {
  readonly as?: Role | 'nobody';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CatalogUnderTest {
  readonly url: string;
  readonly api: Catalog;
  readonly db: Database;
  /** Sends a request; staff unless `as` says otherwise. Every answer is checked against the OpenAPI document. */
  send(method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string, sending?: Sending): Promise<Answer>;
  /** Adds a product; what is not said is made up. */
  product(fields?: Record<string, unknown>): Promise<Json>;
  close(): Promise<void>;
}

export const userIds: Readonly<Record<Role, string>> = { customer: newId(), staff: newId(), admin: newId() };

/** On a store of its own, or on one that the test shares and closes. */
export async function startCatalog(
  settings: Partial<CatalogDependencies> = {},
  shared?: { readonly db: Database },
  limits: Pick<FrontOptions, 'limiter' | 'streamIdleMs'> & { readonly bodyTimeoutMs?: number } = {},
): Promise<CatalogUnderTest> {
  const { db, close } = shared === undefined ? await openStore() : { ...shared, close: async () => undefined };
  await migrate(db);
  const { api, routes } = createCatalog({ db, log, now: Date.now, ...settings });
  const readiness = createReadiness({ checks: {}, log });
  readiness.become('ready');
  const info = { title: 'Catalog', version: '1', description: '', tags: { Products: '', Stock: '', Operations: '' } };
  const front = createFront({
    routes,
    authenticate,
    trustProxyHops: 0,
    corsOrigins: [],
    readiness,
    info,
    guides: problemGuides,
    log,
    ...limits,
  });
  const server = createHttpServer({ ...front, readiness, log, ...limits });
  const url = `http://127.0.0.1:${await server.listen({ port: 0, host: '127.0.0.1' })}`;
  const check = documentedAnswers(await fetchDocument(url));
  let counter = 0;

  const send: CatalogUnderTest['send'] = async (method, path, { as = 'staff', body, headers = {} } = {}) => {
    const agent = checkedAgent({ url, check, ...(as !== 'nobody' && { token: as }) });
    const sent = agent[method](path).set(headers);
    const answer = await (body === undefined ? sent : sent.send(body as object));
    return { status: answer.status, body: answer.body, headers: answer.headers, text: textOf(answer) };
  };
  return {
    url,
    api,
    db,
    send,
    product: async (fields = {}) => {
      counter += 1;
      const body = { sku: `SKU-${counter}`, name: `Product ${counter}`, price: { amount: 500, currency: 'GBP' }, ...fields };
      const { status, body: product } = await send('post', '/api/products', { body });
      if (status !== 201) throw new Error(`${status} ${JSON.stringify(product)}`);
      return product;
    },
    close: async () => {
      await server.drain({ delayMs: 0, timeoutMs: 100 });
      await close();
    },
  };
}

/** Many products at once, as quick as the store takes them; they are not found by words. Answers their ids. */
export async function addProducts(
  db: Database,
  count: number,
  { stock, price = 500 }: { stock: number; price?: number },
): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => newId());
  const at = '2026-01-01 00:00:00.000';
  await db.transaction(async (tx) => {
    for (const id of ids) {
      await tx.run(
        `INSERT INTO catalog_products (id, sku, live_sku, name, name_key, attributes, price_amount, price_currency, version, created_at, updated_at)
          VALUES (?, ?, ?, 'Lamp', 'lamp', '{}', ?, 'GBP', 1, ?, ?)`,
        [id, id, id, price, at, at],
      );
      await tx.run('INSERT INTO catalog_stock (product_id, on_hand, reserved, version) VALUES (?, ?, 0, 1)', [id, stock]);
      await tx.run(
        `INSERT INTO catalog_stock_movements (id, product_id, kind, delta, created_at) VALUES (?, ?, 'initial', ?, ?)`,
        [newId(), id, stock, at],
      );
    }
  });
  return ids;
}

async function authenticate(token: string) {
  if (token !== 'customer' && token !== 'staff' && token !== 'admin') throw new Failure('unauthenticated');
  const role: Role = token;
  return { userId: userIds[role], sessionId: newId(), roles: [role], tokenVersion: 1 };
}

export const pounds = (amount: number) => ({ amount, currency: 'GBP' });

/** The items of a reservation of one product. */
export const pieces = (productId: string, quantity = 1): ReservationItem[] => [{ productId, quantity }];

export async function stockOf(
  { send }: CatalogUnderTest,
  productId: string,
): Promise<{ readonly onHand: number; readonly reserved: number }> {
  const { onHand, reserved } = (await send('get', `/api/products/${productId}/stock`)).body;
  return { onHand, reserved };
}

/** The problem of an answer: status and slug. */
export function problemOf({ status, body }: Answer): string {
  return `${status} ${String(body.type).replace('/problems/', '')}`;
}

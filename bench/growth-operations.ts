import { encodeCursor } from '../src/shared/page.ts';
import { type GrownShop, type Tokens, typicalOrders } from './growth-shop.ts';

/** A request that is compared between sizes. */
export interface GrowthOperation {
  readonly name: string;
  readonly title: string;
  /** of one round and size */
  readonly requests: number;
  readonly request: (at: Position) => GrowthRequest;
  /** what is wrong with an answer, if anything */
  readonly problemOf: (body: unknown, at: Position) => string | undefined;
  /** the worker has to do its part before the cost is known */
  readonly settles?: boolean;
}

export interface Position {
  readonly grown: GrownShop;
  readonly tokens: Tokens;
  /** of this operation and size, counted from 0 over all rounds */
  readonly number: number;
  /** orders that were placed since the shop was filled */
  readonly placed: number;
}

export interface GrowthRequest {
  readonly path: string;
  readonly token?: string;
  /** as JSON, by POST */
  readonly body?: object;
}

const pageSize = 20;
const dayMs = 86_400_000;

const productAt = ({ grown: { products } }: Position, number: number) => {
  const product = products[number % products.length];
  if (product === undefined) throw new Error('The shop has no products.');
  return product;
};
const orderIdAt = ({ grown: { orderIds }, number }: Position) => orderIds[number % orderIds.length] ?? '';
const day = (daysAgo: number) => new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10);
const reads = 20;

export const growthOperations: readonly GrowthOperation[] = [
  {
    name: 'get',
    title: 'a product that is not in memory',
    requests: reads,
    request: (at) => ({ path: `/api/products/${productAt(at, at.number).id}` }),
    problemOf: (body, at) => (field(body, 'id') === productAt(at, at.number).id ? undefined : 'another product'),
  },
  list('list', 'the first page of products', { query: '' }),
  list('list-category', 'the first page of a category, by price', { query: 'category=Category%207&sort=price', short: true }),
  list('deep-page', 'a page anywhere in the products by name', {
    query: (at) => {
      const { id, nameKey } = productAt(at, at.number);
      return `sort=name&cursor=${encodeCursor(['name', nameKey, id])}`;
    },
    short: true,
  }),
  list('search-rare', 'a search for a word of one product', {
    query: (at) => `q=${productAt(at, at.number).sku.replace('SKU-', 'P')}`,
    short: true,
  }),
  list('search-frequent', 'a search for a word of every product', { query: 'q=product' }),
  list('search-two', 'a search for two words, which 1 product in 70 has both of', { query: 'q=blue+wool', short: true }),
  list('search-some', 'a search for a word that 1 product in 500 has', { query: 'q=hemp', short: true }),
  {
    name: 'order',
    title: 'an order of three lines until it is confirmed',
    requests: 10,
    settles: true,
    request: (at) => {
      const items = [0, 1, 2].map((line) => ({ productId: productAt(at, at.number * 3 + line).id, quantity: 1 }));
      return { path: '/api/orders', token: at.tokens.typical.token, body: { items } };
    },
    problemOf: (body) => (field(body, 'status') === 'placed' ? undefined : 'not an order'),
  },
  orders('own-orders', 'own orders of a customer with few', ({ tokens }) => ({ token: tokens.typical.token, query: '' })),
  orders('own-orders-many', 'own orders of a customer who has a tenth of all', ({ tokens }) => {
    return { token: tokens.great.token, query: '' };
  }),
  orders('own-orders-deep', 'a page anywhere in those that are delivered', (at) => {
    const cursor = encodeCursor([orderIdAt(at)]);
    return { token: at.tokens.great.token, query: `status=delivered&cursor=${cursor}` };
  }),
  orders('staff-status', 'orders of all customers in one state', ({ tokens }) => {
    return { token: tokens.staff.token, query: 'status=shipped' };
  }),
  orders('staff-days', 'orders of all customers in one state and month', ({ tokens, number }) => {
    return {
      token: tokens.staff.token,
      query: `status=delivered&from=${day(60 + (number % 250))}&to=${day(30 + (number % 250))}`,
    };
  }),
  {
    name: 'summary-year',
    title: 'the summary of a year',
    requests: reads,
    request: ({ tokens }) => ({ path: `/api/orders/summary?from=${day(365)}&to=${day(0)}`, token: tokens.staff.token }),
    problemOf: (body, { grown, placed }) => {
      const count = field(listed(body)[0], 'placed', 'count');
      return count === grown.size + placed ? undefined : `${count} orders instead of ${grown.size + placed}`;
    },
  },
];

interface ProductPage {
  readonly query: string | ((at: Position) => string);
  /** there may be less than a page of its kind in a small shop, or behind its place */
  readonly short?: boolean;
}

function list(name: string, title: string, { query, short = false }: ProductPage): GrowthOperation {
  return {
    ...{ name, title, requests: reads },
    request: (at) => ({ path: `/api/products?limit=${pageSize}&${typeof query === 'string' ? query : query(at)}` }),
    problemOf: (body) => problemOfPage(body, short),
  };
}

function orders(name: string, title: string, ask: (at: Position) => { token: string; query: string }): GrowthOperation {
  return {
    ...{ name, title, requests: reads },
    request: (at) => ({ path: `/api/orders?limit=${pageSize}&${ask(at).query}`, token: ask(at).token }),
    problemOf: (body, at) => {
      const { token } = ask(at);
      const owner = [at.tokens.typical, at.tokens.great].find((customer) => customer.token === token);
      const strange = listed(body).some((order) => owner !== undefined && field(order, 'userId') !== owner.id);
      return strange ? 'orders of somebody else' : problemOfPage(body, at.grown.size < typicalOrders * 500);
    },
  };
}

function problemOfPage(body: unknown, mayBeShort: boolean): string | undefined {
  const { length } = listed(body);
  if (length === pageSize || (mayBeShort && length > 0)) return undefined;
  return `a page of ${length}`;
}

function listed(body: unknown): readonly unknown[] {
  const data = field(body, 'data');
  return Array.isArray(data) ? data : [];
}

function field(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((found, name) => {
    return typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  }, value);
}

import { randomUUID } from 'node:crypto';
import { type Step, send } from './open-load.ts';

/** What customers do: they look at products, place orders and cancel some of them. Everything that was acknowledged is remembered. */
export interface Shopping {
  /** the next request of the load, of all customers together */
  next(): Step;
  /** ids of the orders that were answered with 201 */
  readonly placed: ReadonlySet<string>;
  /** ids of those whose cancelling was answered with 200 */
  readonly cancelled: ReadonlySet<string>;
  /** Sends a request once more, as a client would that got no answer, with the same key. @throws when that fails too */
  repeat(step: Step): Promise<void>;
  /** Reads every acknowledged order. Answers what is not as it was acknowledged. */
  missing(): Promise<readonly string[]>;
}

const products = 200;
const customers = 5;
const pieces = 1_000_000;
const renewEveryMs = 300_000;
/** of a hundred requests */
const share = { orders: 30, cancels: 10 };

export async function startShopping(url: string, admin: { username: string; password: string }): Promise<Shopping> {
  const post = async (path: string, body: unknown, token?: string) => {
    const answer = await send({ url, call: { method: 'POST', path, body, headers: authorization(token) } });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body);
  };
  const { accessToken: adminToken } = await post('/api/auth/login', admin);
  // several of these may go shopping in one shop
  const group = randomUUID().slice(0, 8);
  const credentialsOf = (customer: number) => ({
    username: `${group}-${customer}`,
    password: `the password of number ${customer}`,
  });
  const productIds: string[] = [];
  for (let each = 0; each < products; each++) {
    const product = {
      sku: `${group}-${each}`,
      name: `Product ${each}`,
      price: { amount: 100, currency: 'GBP' },
      initialStock: pieces,
    };
    productIds.push((await post('/api/products', product, adminToken)).id);
  }
  const tokens: string[] = [];
  for (let each = 0; each < customers; each++) tokens.push((await post('/api/auth/register', credentialsOf(each))).accessToken);

  /** which customer placed an order */
  const owners = new Map<string, number>();
  const cancelled = new Set<string>();
  const cancellable: string[] = [];
  let turn = 0;
  const signInsDue = renewals();

  const signIn = (customer: number): Step => ({
    call: { method: 'POST', path: '/api/auth/login', body: credentialsOf(customer) },
    accept: (answer) => {
      expectStatus(200)(answer);
      tokens[customer] = JSON.parse(answer.body).accessToken;
    },
  });
  const look = (): Step => ({
    call: { method: 'GET', path: turn % 5 === 0 ? '/api/products?limit=10' : `/api/products/${pick(productIds, turn)}` },
    accept: expectStatus(200),
  });
  const order = (): Step => {
    const customer = turn % customers;
    const items = [0, 7].map((offset) => ({ productId: pick(productIds, turn + offset), quantity: 1 + (turn % 3) }));
    const headers = { ...authorization(tokens[customer]), 'idempotency-key': randomUUID() };
    return {
      call: { method: 'POST', path: '/api/orders', body: { items }, headers },
      accept: (answer) => {
        expectStatus(201)(answer);
        const { id } = JSON.parse(answer.body);
        owners.set(id, customer);
        cancellable.push(id);
      },
    };
  };
  const cancel = (): Step => {
    const id = cancellable.shift();
    if (id === undefined) return look();
    return {
      call: { method: 'POST', path: `/api/orders/${id}/cancel`, headers: authorization(tokens[owners.get(id) ?? 0]) },
      accept: (answer) => {
        expectStatus(200)(answer);
        cancelled.add(id);
      },
    };
  };

  return {
    next: () => {
      turn += 1;
      const renewed = signInsDue.next();
      if (renewed.value !== undefined) return signIn(renewed.value);
      const ticket = (turn * 37) % 100;
      if (ticket < share.orders) return order();
      return ticket < share.orders + share.cancels ? cancel() : look();
    },
    get placed() {
      return new Set(owners.keys());
    },
    cancelled,
    repeat: async ({ call, accept }) => accept(await send({ url, call })),
    missing: async () => {
      const wrong: string[] = [];
      for (const [id, customer] of owners) {
        const headers = authorization(tokens[customer]);
        const answer = await send({ url, call: { method: 'GET', path: `/api/orders/${id}`, headers } });
        const { status } = answer.status === 200 ? JSON.parse(answer.body) : { status: answer.status };
        if (status !== (cancelled.has(id) ? 'cancelled' : 'confirmed')) wrong.push(`${id}: ${status}`);
      }
      return wrong;
    },
  };
}

/** Now and then the customers sign in again, before their tokens run out: yields whose turn it is, undefined in between. */
function* renewals(): Generator<number | undefined, never> {
  let renewedAt = performance.now();
  for (;;) {
    if (performance.now() - renewedAt > renewEveryMs) {
      renewedAt = performance.now();
      for (let each = 0; each < customers; each++) yield each;
    }
    yield undefined;
  }
}

function authorization(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function pick<T>(things: readonly T[], turn: number): T {
  const thing = things[turn % things.length];
  if (thing === undefined) throw new Error('nothing to pick from');
  return thing;
}

function expectStatus(status: number): Step['accept'] {
  return (answer) => {
    if (answer.status !== status) throw new Error(`${answer.status} ${answer.body.slice(0, 300)}`);
  };
}

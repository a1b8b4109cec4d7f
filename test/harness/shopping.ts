import { randomUUID } from 'node:crypto';
import { type Call, send, type Step } from './open-load.ts';

/** What customers do: they look at products, place orders and cancel some of them. Everything that was acknowledged is remembered. */
export interface Shopping {
  /** the next request of the load, of all customers together */
  next(): Step;
  /** ids of the orders that were answered with 201 */
  readonly placed: ReadonlySet<string>;
  /** ids of those whose cancelling was answered with 200 */
  readonly cancelled: ReadonlySet<string>;
  /** Sends a request once more, as a client would that got no answer, with the same key. @throws when that fails too */
  repeat(call: Call): Promise<void>;
  /** Reads every acknowledged order. Answers what is not as it was acknowledged. */
  missing(): Promise<readonly string[]>;
}

const products = 20;
const customers = 5;
const pieces = 1_000_000;
/** of a hundred requests */
const share = { orders: 30, cancels: 10 };

export async function startShopping(url: string, admin: { username: string; password: string }): Promise<Shopping> {
  const post = async (path: string, body: unknown, token?: string) => {
    const answer = await send({ url, call: { method: 'POST', path, body, headers: authorization(token) } });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body);
  };
  const { accessToken: adminToken } = await post('/api/auth/login', admin);
  const productIds: string[] = [];
  for (let each = 0; each < products; each++) {
    const product = { sku: `SKU-${each}`, name: `Product ${each}`, price: { amount: 100, currency: 'GBP' }, initialStock: pieces };
    productIds.push((await post('/api/products', product, adminToken)).id);
  }
  const tokens: string[] = [];
  for (let each = 0; each < customers; each++) {
    const credentials = { username: `customer-${each}`, password: `the password of ${each}` };
    tokens.push((await post('/api/auth/register', credentials)).accessToken);
  }

  const owners = new Map<string, string>();
  const cancelled = new Set<string>();
  const cancellable: string[] = [];
  let turn = 0;

  const look = (): Step => ({
    call: { method: 'GET', path: turn % 5 === 0 ? '/api/products?limit=10' : `/api/products/${pick(productIds, turn)}` },
    accept: expectStatus(200),
  });
  const accept = (call: Call): Step['accept'] => {
    const token = call.headers?.authorization ?? '';
    if (call.path === '/api/orders')
      return (answer) => {
        expectStatus(201)(answer);
        const { id } = JSON.parse(answer.body);
        owners.set(id, token);
        cancellable.push(id);
      };
    return (answer) => {
      expectStatus(200)(answer);
      if (call.path.endsWith('/cancel')) cancelled.add(JSON.parse(answer.body).id);
    };
  };
  const step = (call: Call): Step => ({ call, accept: accept(call) });
  const order = (): Step => {
    const items = [0, 7].map((offset) => ({ productId: pick(productIds, turn + offset), quantity: 1 + (turn % 3) }));
    const headers = { ...authorization(pick(tokens, turn)), 'idempotency-key': randomUUID() };
    return step({ method: 'POST', path: '/api/orders', body: { items }, headers });
  };
  const cancel = (): Step => {
    const id = cancellable.shift();
    if (id === undefined) return look();
    return step({ method: 'POST', path: `/api/orders/${id}/cancel`, headers: { authorization: owners.get(id) ?? '' } });
  };

  return {
    next: () => {
      turn += 1;
      const ticket = (turn * 37) % 100;
      if (ticket < share.orders) return order();
      return ticket < share.orders + share.cancels ? cancel() : look();
    },
    get placed() {
      return new Set(owners.keys());
    },
    cancelled,
    repeat: async (call) => accept(call)(await send({ url, call })),
    missing: async () => {
      const wrong: string[] = [];
      for (const [id, token] of owners) {
        const answer = await send({ url, call: { method: 'GET', path: `/api/orders/${id}`, headers: { authorization: token } } });
        const { status } = answer.status === 200 ? JSON.parse(answer.body) : { status: answer.status };
        if (status !== (cancelled.has(id) ? 'cancelled' : 'confirmed')) wrong.push(`${id}: ${status}`);
      }
      return wrong;
    },
  };
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

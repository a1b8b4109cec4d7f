import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { askedAgain, type BenchShop, enter } from './bench-shop.ts';
import { chooseProducts } from './order-socket.ts';

/** What a mixed load has come to. */
export interface SoakLoad {
  /** answers by what was asked and their status */
  counts(): Readonly<Record<string, number>>;
  /** rejects with the first answer that is wrong, and else never settles */
  readonly failed: Promise<never>;
  /** Lets the requests under way end. */
  stop(): Promise<void>;
}

const clients = 8;
const pauseMs = 25;
const accountEveryMs = 1500;
const ordersKept = 50;

interface Client {
  readonly shop: BenchShop;
  readonly tokens: { readonly staff: string; readonly customers: readonly string[] };
  readonly agent: Agent;
  /** recent orders, to be read and cancelled */
  readonly orders: { readonly id: string; readonly token: string }[];
  readonly note: (name: string, status: number) => void;
}

interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** How often each of these comes among a hundred requests, and what is expected of it. */
const mix: readonly { readonly share: number; readonly work: (client: Client) => Promise<void> }[] = [
  { share: 35, work: (client) => get(client, `/api/products/${anyProduct(client)}`) },
  { share: 10, work: (client) => get(client, `/api/products/${anyProduct(client)}`, anyCustomer(client)) },
  { share: 8, work: (client) => get(client, '/api/products?limit=10&sort=name') },
  { share: 5, work: (client) => get(client, `/api/products?q=p${Math.floor(Math.random() * 200)}&include=stock`) },
  { share: 20, work: placeOrder },
  { share: 6, work: (client) => get(client, '/api/orders?limit=5', anyCustomer(client)) },
  { share: 6, work: readOrder },
  { share: 4, work: cancelOrder },
  { share: 3, work: editProduct },
  { share: 3, work: refuse },
];

/** So many requests a second that the machine stays idle for most of the time, of every kind; the accounts are others all the time. */
export async function startSoakLoad(shop: BenchShop): Promise<SoakLoad> {
  const counts = new Map<string, number>();
  const stopping = new AbortController();
  const note = (name: string, status: number) => counts.set(`${name} ${status}`, (counts.get(`${name} ${status}`) ?? 0) + 1);
  const tokens = { staff: '', customers: [] as readonly string[] };
  const signIn = async () => {
    tokens.customers = await shop.customers();
    tokens.staff = (await enter(shop.url, 'admin', 'login')).token;
  };
  await signIn();
  const agent = new Agent({ keepAlive: true });
  const orders: Client['orders'] = [];
  const client: Client = { shop, tokens, agent, orders, note };
  const loop = async (work: () => Promise<unknown>, everyMs: number) => {
    while (!stopping.signal.aborted) {
      await work();
      await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const loops = [
    ...Array.from({ length: clients }, () => loop(() => choose()(client), pauseMs)),
    loop(() => accountForAWhile(client), accountEveryMs),
    loop(signIn, 5 * 60_000),
  ];
  const ended = Promise.all(loops);
  const failed = Promise.withResolvers<never>();
  ended.catch(failed.reject);
  return {
    failed: failed.promise,
    counts: () => Object.fromEntries([...counts].sort()),
    stop: async () => {
      stopping.abort();
      await ended;
      agent.destroy();
    },
  };
}

function choose(): (client: Client) => Promise<void> {
  let left = Math.random() * mix.reduce((sum, { share }) => sum + share, 0);
  for (const { share, work } of mix) {
    left -= share;
    if (left < 0) return work;
  }
  throw new Error('The shares do not add up.');
}

const anyOf = <T>(values: readonly T[]): T | undefined => values[Math.floor(Math.random() * values.length)];
const anyProduct = ({ shop }: Client) => anyOf(shop.productIds);
const anyCustomer = ({ tokens }: Client) => anyOf(tokens.customers) ?? '';

async function get(client: Client, path: string, token?: string): Promise<void> {
  await ask(client, { path, token, ...{ expected: [200] } });
}

async function placeOrder(client: Client): Promise<void> {
  const token = anyCustomer(client);
  const items = chooseProducts(client.shop).map((productId) => ({ productId, quantity: 1 }));
  const headers = { 'idempotency-key': randomUUID() };
  const { id } = await ask(client, { method: 'POST', path: '/api/orders', token, headers, body: { items }, expected: [201] });
  client.orders.push({ id: String(id), token });
  if (client.orders.length > ordersKept) client.orders.shift();
}

async function readOrder(client: Client): Promise<void> {
  const order = anyOf(client.orders);
  if (order !== undefined) await ask(client, { path: `/api/orders/${order.id}`, token: order.token, expected: [200] });
}

async function cancelOrder(client: Client): Promise<void> {
  const order = client.orders.shift();
  if (order === undefined) return;
  await ask(client, { method: 'POST', path: `/api/orders/${order.id}/cancel`, token: order.token, expected: [200] });
}

async function editProduct(client: Client): Promise<void> {
  const path = `/api/products/${anyProduct(client)}`;
  const { version } = await ask(client, { path, token: client.tokens.staff, expected: [200] });
  const headers = { 'if-match': `"${version}"` };
  const body = { description: `edited ${Date.now()}` };
  await ask(client, { method: 'PATCH', path, token: client.tokens.staff, headers, body, expected: [200, 412] });
}

/** What is wrong, on a connection of its own. */
async function refuse(client: Client): Promise<void> {
  const alone = { ...client, agent: new Agent() };
  await ask(alone, { path: `/api/orders/${anyProduct(client)}`, token: anyCustomer(client), expected: [404] });
  await ask(alone, { path: '/api/orders', token: 'no token', expected: [401] });
  await ask(alone, { method: 'POST', path: '/api/orders', token: anyCustomer(client), body: { items: [] }, expected: [422] });
}

/** Signs up, looks around, and leaves. */
async function accountForAWhile(client: Client): Promise<void> {
  const username = `visitor-${randomUUID()}`;
  const { token } = await enter(client.shop.url, username, 'register');
  client.note('register', 201);
  await ask(client, { path: '/api/auth/me', token, expected: [200] });
  await ask(client, { method: 'POST', path: '/api/auth/logout', token, expected: [204] });
}

/** @throws when the answer is not one of those that are expected */
async function ask(client: Client, { expected, ...asked }: Ask & { expected: readonly number[] }): Promise<Answer> {
  const { method = 'GET', path } = asked;
  const { status, text } = await askedAgain(async () => {
    const answer = await send(client, asked);
    client.note(`${method} ${path.replace(/[?].*$/, '').replace(/[0-9a-f-]{36}/, ':id')}`, answer.status);
    return answer;
  });
  if (!expected.includes(status)) throw new Error(`${method} ${path} was answered ${status}: ${text.slice(0, 300)}`);
  return text === '' ? {} : JSON.parse(text);
}

type Answer = Readonly<Record<string, unknown>>;

function send({ shop, agent }: Client, { method = 'GET', path, token, headers = {}, body }: Ask) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request(shop.url + path, {
      ...{ method, agent },
      headers: {
        ...headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
    });
    sent.on('error', reject).on('response', (answer) => {
      answer.setEncoding('utf8');
      let text = '';
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

import { generateKeyPairSync } from 'node:crypto';
import { type App, createApp } from '../../src/app.ts';
import type { Overrides } from '../../src/app-modules.ts';
import { readConfig } from '../../src/shared/config.ts';
import { unlimitedLoad } from '../../src/shared/load-limiter.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { type Agent, checkedAgent } from './checked-agent.ts';
import { documentedAnswers, fetchDocument } from './documented-answers.ts';
import { type RunningShop, runSplit, type ShopToRun } from './split-shop.ts';
import { makeShopStores, type ShopStores } from './stores.ts';

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** a client that sends the access token */
  readonly api: Agent;
}

export interface Shop {
  readonly url: string;
  /** the log so far, one line of JSON each */
  readonly log: readonly string[];
  readonly app: App;
  /** a client that is not signed in; every answer of every client is checked against the OpenAPI document */
  readonly api: Agent;
  /** a client with this access token */
  withToken(accessToken: string): Agent;
  /** a new customer */
  signUp(username?: string, password?: string): Promise<Account>;
  signIn(username: string, password: string): Promise<Account>;
  admin(): Promise<Account>;
  /** a member of staff, the same one each time */
  staff(): Promise<Account>;
  /** a product for sale, GBP 10.00 and 100 pieces unless said otherwise */
  makeProduct(product?: Readonly<Record<string, unknown>>): Promise<{ readonly id: string; readonly sku: string }>;
  /** places an order; the caller checks the answer */
  place(
    account: Account,
    items: readonly { productId: string; quantity: number }[],
    headers?: Readonly<Record<string, string>>,
  ): ReturnType<Agent['post']>;
  /** stops the shop and starts it again on the same data */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface ShopOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly overrides?: Overrides;
  /** several processes of one shop; whoever made them removes them. Absent: stores of its own */
  readonly stores?: ShopStores;
}

const adminPassword = 'the first admin of all';
// made once for all shops of a test file: it takes longer than the rest of a start
const jwtKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let counter = 0;
function unique(prefix: string): string {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** The whole shop on stores of its own: cheap password hashes, no rate limits, one admin. */
export async function startShop({ env = {}, overrides: own = {}, stores: given }: ShopOptions = {}): Promise<Shop> {
  const overrides: Overrides = { limiter: unlimitedLoad, ...own };
  const stores = given ?? (await makeShopStores());
  const variables = {
    ...stores.variables,
    BCRYPT_COST: '4',
    RATE_LIMIT_ENABLED: 'false',
    JWT_PRIVATE_KEYS: jwtKey,
    ADMIN_USERNAME: 'admin',
    ADMIN_PASSWORD: adminPassword,
    ...env,
  };
  const lines: string[] = [];
  let running = await started({ variables, overrides, lines });
  let admin: Promise<Account> | undefined;
  let staff: Promise<Account> | undefined;

  const agent = (token?: string) =>
    checkedAgent({ url: running.url, check: running.check, ...(token !== undefined && { token }) });
  const enter = async (path: 'login' | 'register', credentials: { username: string; password: string }): Promise<Account> => {
    const { body } = await agent()
      .post(`/api/auth/${path}`)
      .send(credentials)
      .expect(path === 'login' ? 200 : 201);
    const { accessToken, refreshToken, user } = body;
    return {
      id: user.id,
      ...credentials,
      accessToken,
      refreshToken,
      get api() {
        return agent(accessToken);
      },
    };
  };
  const shop: Shop = {
    get url() {
      return running.url;
    },
    get app() {
      return running.app;
    },
    get api() {
      return agent();
    },
    log: lines,
    withToken: agent,
    signUp: (username = unique('customer'), password = `password of ${username}`) => enter('register', { username, password }),
    signIn: (username, password) => enter('login', { username, password }),
    admin: () => (admin ??= enter('login', { username: variables.ADMIN_USERNAME, password: variables.ADMIN_PASSWORD })),
    staff: () => (staff ??= makeStaff(shop)),
    makeProduct: async (product = {}) => {
      const { api } = await shop.staff();
      const sku = unique('SKU');
      const wanted = { sku, name: `Product ${sku}`, price: { amount: 1000, currency: 'GBP' }, initialStock: 100, ...product };
      return (await api.post('/api/products').send(wanted).expect(201)).body;
    },
    place: (account, items, headers = {}) => account.api.post('/api/orders').set(headers).send({ items }),
    restart: async () => {
      await running.halt();
      running = await started({ variables, overrides, lines });
    },
    stop: async () => {
      await running.halt();
      if (given === undefined) await stores.remove();
    },
  };
  return shop;
}

async function makeStaff(shop: Shop): Promise<Account> {
  const { id, username, password } = await shop.signUp(unique('staff'));
  const { api } = await shop.admin();
  await api
    .put(`/api/auth/users/${id}/roles`)
    .send({ roles: ['customer', 'staff'] })
    .expect(200);
  return shop.signIn(username, password);
}

async function started(shop: ShopToRun) {
  const running = await run(shop);
  return { ...running, check: documentedAnswers(running.document) };
}

/** One process with all modules; in the project `split` of jest.config.js a service for each. */
const run: (shop: ShopToRun) => Promise<RunningShop> = process.env.TEST_TOPOLOGY === 'split' ? runSplit : runWhole;

async function runWhole({ variables, overrides, lines }: ShopToRun): Promise<RunningShop> {
  const config = readConfig(variables);
  const log = createLogger({ level: config.logLevel, stream: { write: (line) => void lines.push(line) } });
  const app = await createApp({ config, log, overrides });
  await app.start();
  const port = await app.http.listen({ port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${port}`;
  return {
    app,
    url,
    document: await fetchDocument(url),
    halt: async () => {
      await app.http.drain({ delayMs: 0, timeoutMs: 1000 });
      await app.close();
    },
  };
}

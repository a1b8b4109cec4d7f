import { type Actor, canaryPassword, enter, type Stage, signIn } from './actors.ts';
import { buy, type Shelf } from './buyers.ts';
import type { Cluster } from './cluster.ts';
import { createHistory, type History } from './history.ts';
import type { LoadProduct } from './load-products.ts';
import type { Random } from './random.ts';
import { field, listOf, openShopClient } from './shop-client.ts';
import { keepShop } from './staff.ts';
import { comeAndGo } from './visitors.ts';

export interface Load {
  readonly history: History;
  readonly products: readonly LoadProduct[];
  /** a product that nobody of the load buys */
  readonly spareProductId: string;
  readonly buyers: readonly Actor[];
  readonly admin: Actor;
  readonly passwords: readonly string[];
  /** Begins nothing new and waits until what is unknown has been asked again, for so long at most. */
  stop(patienceMs: number): Promise<void>;
}

/** A few products, so that buyers meet, and one that runs out soon. */
const stocks = [100_000, 100_000, 100_000, 100_000, 100_000, 60];
/** for who tries whether everything works */
const spareStock = 100_000;
const buyerCount = 6;
const staffCount = 2;

export interface LoadOptions {
  readonly random: Random;
  /** makes names and keys of this load its own */
  readonly name: string;
  readonly buyers?: number;
}

/** Users who browse, buy, cancel and come and go, and staff who edit, count and ship, all at once and until they are stopped. */
export async function startLoad(
  cluster: Pick<Cluster, 'url' | 'admin'>,
  { random, name, buyers: count = buyerCount }: LoadOptions,
): Promise<Load> {
  const history = createHistory();
  const client = openShopClient(cluster.url);
  const patience = new AbortController();
  const ending = new AbortController();
  const stage: Stage = { client, history, patience: patience.signal };
  const passwords = Array.from({ length: count + staffCount }, () => canaryPassword(random));
  const admin = await signIn(stage, cluster.admin);
  const products = await Promise.all(
    stocks.map((stock, index) => createProduct(admin, { sku: `${name}-${index}`, stock, index })),
  );
  const spare = await createProduct(admin, { sku: `${name}-spare`, stock: spareStock, index: stocks.length });
  const accounts = passwords.map((password, index) => ({
    username: `${name}-${index < count ? 'buyer' : 'staff'}-${index}`,
    password,
  }));
  const buyers = await Promise.all(accounts.slice(0, count).map((account) => enter(stage, account)));
  const staff = await Promise.all(accounts.slice(count).map((account) => hire(stage, admin, account)));

  const shelf: Shelf = { products, orders: new Map() };
  const work = [
    ...buyers.map((actor) => buy({ actor, shelf, random: random.fork(actor.username), ending: ending.signal })),
    ...staff.map((actor) => keepShop({ actor, shelf, random: random.fork(actor.username), ending: ending.signal })),
    comeAndGo({
      stage,
      name,
      random: random.fork('visitors'),
      ending: ending.signal,
      keep: (password) => passwords.push(password),
    }),
  ];
  const over = Promise.all(work);
  over.catch(() => ending.abort());
  return {
    ...{ history, products, spareProductId: spare.id, buyers, admin, passwords },
    async stop(patienceMs) {
      ending.abort();
      const timer = setTimeout(() => patience.abort(), patienceMs);
      try {
        await over;
      } finally {
        clearTimeout(timer);
        client.close();
      }
    },
  };
}

async function createProduct(
  admin: Actor,
  { sku, stock, index }: { sku: string; stock: number; index: number },
): Promise<LoadProduct> {
  const initialPrice = 100 * (index + 1);
  const body = { sku, name: `Product ${sku}`, price: { amount: initialPrice, currency: 'GBP' }, initialStock: stock };
  for (;;) {
    const answer = await admin.insist({ kind: 'edit' }, { method: 'POST', path: '/api/products', token: admin.token(), body });
    const id = field(answer.body, 'id');
    if (id !== undefined) return { id, sku, initialStock: stock, initialPrice };
    if (answer.status !== 409) throw new Error(`the product ${sku} can not be made: ${answer.status} ${answer.text}`);
    const found = await admin.insist(
      { kind: 'read-product' },
      { method: 'GET', path: `/api/products?sku=${sku}`, token: admin.token() },
    );
    const [first] = listOf(found.body);
    const known = field(first, 'id');
    if (known !== undefined) return { id: known, sku, initialStock: stock, initialPrice };
  }
}

/** The new role ends the session that the user has. */
async function hire(
  stage: Stage,
  admin: Actor,
  account: { readonly username: string; readonly password: string },
): Promise<Actor> {
  const { userId } = await enter(stage, account);
  const ask = {
    method: 'PUT',
    path: `/api/auth/users/${userId}/roles`,
    token: admin.token(),
    body: { roles: ['staff'] },
  } as const;
  const answer = await admin.insist({ kind: 'edit' }, ask);
  if (answer.outcome !== 'ok') throw new Error(`${account.username} can not become staff: ${answer.status} ${answer.text}`);
  return signIn(stage, account);
}

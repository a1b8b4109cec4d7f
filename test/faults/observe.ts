import { setTimeout as pause } from 'node:timers/promises';
import { revokedWithinMs } from './account-checkers.ts';
import type { Actor } from './actors.ts';
import type { Cluster } from './cluster.ts';
import type { ForeignRead, OrderView, SessionReplay, TimelineEntry, View } from './evidence.ts';
import type { Operation } from './history.ts';
import type { Load } from './load.ts';
import { field, listOf, member, openShopClient, type ShopClient } from './shop-client.ts';

/** What the processes say when all is quiet. */
export interface Observed {
  readonly views: readonly View[];
  readonly timelines: ReadonlyMap<string, readonly TimelineEntry[]>;
  readonly foreignReads: readonly ForeignRead[];
}

const atOnce = 8;

/** Asks every process for every order of the buyers, one by one and by their lists, and for every product. */
export async function observe(cluster: Cluster, load: Load): Promise<Observed> {
  await load.admin.refresh();
  const views = [];
  for (const { name, url } of cluster.shops) {
    const client = openShopClient(url);
    views.push(await viewOf({ process: name, client, load }));
    client.close();
  }
  const ids = new Set(views.flatMap(({ orders, listed }) => [...orders.keys(), ...[...listed.values()].flat()]));
  const client = openShopClient(cluster.url);
  const timelines = new Map<string, readonly TimelineEntry[]>();
  await each([...ids], async (id) => {
    const { body } = await firmly(client, load.admin.token(), `/api/orders/${id}/events`);
    timelines.set(id, listOf(body) as readonly TimelineEntry[]); // as the contract of the wire says
  });
  client.close();
  return { views, timelines, foreignReads: await readAsStranger(cluster, load) };
}

async function viewOf({ process, client, load }: { process: string; client: ShopClient; load: Load }): Promise<View> {
  const token = load.admin.token();
  const listed = new Map<string, readonly string[]>();
  const orders = new Map<string, OrderView>();
  await each(load.buyers, async ({ userId }) => {
    listed.set(userId, await listedOrders(client, token, userId));
  });
  const ids = new Set([...[...listed.values()].flat(), ...placedIds(load.history.operations)]);
  await each([...ids], async (id) => {
    const { status, body } = await firmly(client, token, `/api/orders/${id}`);
    if (status === 200) orders.set(id, body as OrderView); // as the contract of the wire says
  });
  const products: Map<string, { version: number; name: string; price: number }> = new Map();
  const stock: Map<string, { onHand: number; reserved: number }> = new Map();
  await each(load.products, async ({ id }) => {
    const product = await firmly(client, token, `/api/products/${id}`);
    const level = await firmly(client, token, `/api/products/${id}/stock`);
    const name = field(product.body, 'name');
    if (name !== undefined)
      products.set(id, {
        name,
        version: Number(member(product.body, 'version')),
        price: Number(member(member(product.body, 'price'), 'amount')),
      });
    if (level.status === 200)
      stock.set(id, { onHand: Number(member(level.body, 'onHand')), reserved: Number(member(level.body, 'reserved')) });
  });
  return { process, orders, listed, products, stock };
}

async function listedOrders(client: ShopClient, token: string, userId: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await firmly(client, token, `/api/orders?limit=100&userId=${userId}${more}`);
    ids.push(...listOf(body).map((order) => field(order, 'id') ?? ''));
    cursor = field(body, 'nextCursor');
  }
  return ids;
}

function placedIds(operations: readonly Operation[]): readonly string[] {
  return operations.flatMap(({ kind, outcome, body }) => (kind === 'place' && outcome === 'ok' ? [field(body, 'id') ?? ''] : []));
}

const tries = 5;

/** A single lost answer is no evidence. */
async function firmly(client: ShopClient, token: string, path: string) {
  for (let attempt = 1; ; attempt++) {
    const answer = await client.ask({ method: 'GET', path, token });
    if (attempt === tries || (answer.status !== undefined && answer.status < 500)) return answer;
    await pause(200);
  }
}

async function readAsStranger(cluster: Cluster, load: Load): Promise<readonly ForeignRead[]> {
  const [one, other] = load.buyers;
  const own = load.history.operations.find(
    ({ kind, outcome, user }) => kind === 'place' && outcome === 'ok' && user === one?.username,
  );
  const id = field(own?.body, 'id');
  if (other === undefined || id === undefined) return [];
  await other.refresh();
  return Promise.all(
    cluster.shops.map(async ({ name, url }) => {
      const client = openShopClient(url);
      const { status = 0 } = await firmly(client, other.token(), `/api/orders/${id}`);
      client.close();
      return { process: name, status };
    }),
  );
}

/**
 * Replays every refresh token of every buyer, the newest first, which ends their sessions: an old token is taken for a stolen one.
 * And that of everybody who was told that he is signed out.
 */
export async function replayTokens(cluster: Pick<Cluster, 'url'>, load: ReplayedLoad): Promise<readonly SessionReplay[]> {
  const client = openShopClient(cluster.url);
  const replays: SessionReplay[] = [...(await replayEnded(client, load))];
  for (const { username, refreshToken } of load.buyers) {
    const used = load.history.operations.filter(({ kind, user }) => kind === 'refresh' && user === username);
    const tokens = [refreshToken(), ...used.map((operation) => operation.refreshToken ?? '').reverse()];
    const statuses: number[] = [];
    for (const token of [...new Set(tokens)].slice(0, mostTokens)) {
      statuses.push(await replay(client, token));
    }
    replays.push({ user: username, ended: false, statuses: withoutPredecessor(statuses) });
  }
  client.close();
  return replays;
}

type ReplayedLoad = Pick<Load, 'history'> & { readonly buyers: readonly Pick<Actor, 'username' | 'refreshToken'>[] };

const mostTokens = 5;

/** Waits for the time within which every process learns of an end. */
async function replayEnded(client: ShopClient, { history }: ReplayedLoad): Promise<readonly SessionReplay[]> {
  const ends = history.operations.filter(({ kind, status }) => kind === 'logout' && status === 204);
  const last = Math.max(...ends.map(({ endedAt }) => endedAt));
  await pause(Math.max(0, last + revokedWithinMs - performance.now()));
  const replays: SessionReplay[] = [];
  await each(ends, async ({ user, refreshToken = '' }) => {
    replays.push({ user, ended: true, statuses: [await replay(client, refreshToken)] });
  });
  return replays;
}

async function replay(client: ShopClient, refreshToken: string): Promise<number> {
  const { status = 0 } = await client.ask({ method: 'POST', path: '/api/auth/refresh', body: { refreshToken } });
  return status;
}

/** For 30 s the immediate predecessor is answered with its one successor, which is no second live token. */
function withoutPredecessor([newest = 0, , ...older]: readonly number[]): readonly number[] {
  return [newest, ...older];
}

async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

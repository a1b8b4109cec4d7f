import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { canaryPassword, tokensOf } from './actors.ts';
import type { Cluster } from './cluster.ts';
import type { LimitProbe, RevocationProbe } from './evidence.ts';
import { frozenMs } from './managed-program.ts';
import type { Random } from './random.ts';
import { field, openShopClient, type ShopClient } from './shop-client.ts';
import type { ShopProcess } from './shop-process.ts';

/** What is asked of single processes beside the load. */

const attemptTimeoutMs = 3000;

interface Prober {
  readonly cluster: Pick<Cluster, 'shops' | 'admin'>;
  readonly random: Random;
  /** is told every password and token */
  readonly keep: (canary: string) => void;
}

/**
 * Tries everything on every process until all of it works in one go. Answers how long that took, or undefined when it never did
 * within the patience.
 */
export async function untilEverythingWorks(
  { cluster, random, keep }: Prober,
  productId: string,
  patienceMs: number,
): Promise<number | undefined> {
  const start = performance.now();
  const works = cluster.shops.map(async ({ url }) => {
    const client = openShopClient(url, attemptTimeoutMs);
    try {
      while (!(await everythingWorks(client, { productId, password: canaryPassword(random), keep }))) {
        if (performance.now() - start > patienceMs) return false;
        await pause(50);
      }
      return true;
    } finally {
      client.close();
    }
  });
  const all = await Promise.all(works);
  return all.every(Boolean) ? performance.now() - start : undefined;
}

interface Walk {
  readonly productId: string;
  readonly password: string;
  readonly keep: (canary: string) => void;
}

/** One walk through the shop: register, sign in, refresh, look, order, read, cancel, sign out. */
async function everythingWorks(client: ShopClient, { productId, password, keep }: Walk): Promise<boolean> {
  const username = `walker-${randomUUID()}`;
  keep(password);
  const account = { username, password };
  const registered = await client.ask({ method: 'POST', path: '/api/auth/register', body: account });
  const signedIn = await client.ask({ method: 'POST', path: '/api/auth/login', body: account });
  if (registered.status !== 201 || signedIn.status !== 200) return false;
  const { refreshToken } = tokensOf(signedIn.body);
  const refreshed = await client.ask({ method: 'POST', path: '/api/auth/refresh', body: { refreshToken } });
  const token = tokensOf(refreshed.body).accessToken;
  const product = await client.ask({ method: 'GET', path: `/api/products/${productId}` });
  const body = { items: [{ productId, quantity: 1 }] };
  const placed = await client.ask({ method: 'POST', path: '/api/orders', token, key: username, body });
  const id = field(placed.body, 'id');
  if (refreshed.status !== 200 || product.status !== 200 || placed.status !== 201 || id === undefined) return false;
  const read = await client.ask({ method: 'GET', path: `/api/orders/${id}`, token });
  const cancelled = await client.ask({ method: 'POST', path: `/api/orders/${id}/cancel`, token });
  const left = await client.ask({ method: 'POST', path: '/api/auth/logout', token });
  return read.status === 200 && cancelled.status === 200 && left.status === 204;
}

const pollMs = 200;
const watchedMs = 6500;

/** Signs somebody in and out again, and asks every process again and again what it thinks of the token. */
export async function watchRevocation({ cluster, random, keep }: Prober): Promise<readonly RevocationProbe[]> {
  const [first] = cluster.shops;
  if (first === undefined) return [];
  const client = openShopClient(first.url, attemptTimeoutMs);
  const account = { username: `leaver-${randomUUID()}`, password: canaryPassword(random) };
  keep(account.password);
  const { accessToken: token } = tokensOf((await client.ask({ method: 'POST', path: '/api/auth/register', body: account })).body);
  const left = token === '' ? undefined : await client.ask({ method: 'POST', path: '/api/auth/logout', token });
  client.close();
  // nobody was signed out, so nothing was promised
  if (left?.status !== 204) return [];
  const start = performance.now();
  const watches = cluster.shops.map(async ({ name, url }) => {
    const each = openShopClient(url, attemptTimeoutMs);
    const probes: RevocationProbe[] = [];
    while (performance.now() - start < watchedMs) {
      const afterMs = performance.now() - start;
      const { status = 0 } = await each.ask({ method: 'GET', path: '/api/auth/me', token });
      probes.push({ process: name, afterMs, status });
      await pause(pollMs);
    }
    each.close();
    return probes;
  });
  return (await Promise.all(watches)).flat();
}

const guesses = 30;
/** the default of RATE_LIMIT_LOGIN_FAILURES */
const failuresPerAccount = 10;

/** Guesses one password on all processes at once. Only answers that say so count as let through or refused. */
export async function guessPassword({ cluster, random, keep }: Prober): Promise<LimitProbe> {
  const account = { username: `guessed-${randomUUID()}`, password: canaryPassword(random) };
  keep(account.password);
  const since = new Date(Date.now() - tornForMs).toISOString();
  const clients = cluster.shops.map(({ url }) => openShopClient(url, attemptTimeoutMs));
  const statuses = await Promise.all(
    Array.from({ length: guesses }, async (_, index) => {
      const client = clients[index % clients.length];
      const body = { ...account, password: `${account.password} no` };
      return (await client?.ask({ method: 'POST', path: '/api/auth/login', body }))?.status;
    }),
  );
  for (const client of clients) client.close();
  const count = (status: number | undefined) => statuses.filter((one) => one === status).length;
  const torn = cluster.shops.some((shop) => shop.lives().some(({ log }) => lostSight(log, since)));
  return { limit: failuresPerAccount, allowed: count(401), refused: count(429), failed: count(503) + count(undefined), torn };
}

/** so long before the guesses as a process may have been on its own without saying so again */
const tornForMs = 30_000;

function lostSight(log: string, since: string): boolean {
  const lines = log.split('\n').filter((line) => line.includes('"shared":false'));
  return lines.some((line) => (/"time":"([^"]+)"/.exec(line)?.[1] ?? '') > since);
}

/** longer than what counts as late on a busy machine too */
const livenessPatienceMs = 20_000;

/**
 * How long the process itself, whatever stands in front of it, takes to say that it lives; of one that stays silent, how long it was
 * waited for. Undefined when the process is gone or was frozen: then there is nobody to be late.
 */
export function livenessOf(
  { port, freezes }: Pick<ShopProcess, 'port' | 'freezes'>,
  patienceMs = livenessPatienceMs,
): Promise<number | undefined> {
  const start = performance.now();
  return new Promise((resolve) => {
    const waited = () => {
      const end = performance.now();
      resolve(frozenMs(freezes(), { since: start, until: end }) === 0 ? end - start : undefined);
    };
    const asking = get(`http://127.0.0.1:${port}/livez`, { agent: false, timeout: patienceMs }, (answer) => {
      answer.resume();
      waited();
    });
    asking
      .on('error', () => resolve(undefined))
      .on('timeout', () => {
        waited();
        asking.destroy();
      });
  });
}

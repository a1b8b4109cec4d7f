// What the tools need of the shop that they attack.
import type { Traffic } from './tool-verdicts.ts';

/** Waits until it is ready, at most half a minute. */
export async function shopIsReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error('The shop that was to be attacked did not start.');
}

export interface Admin {
  readonly productId: string;
  /** A token that lasts for another few minutes. Guesses of the admin's password make him wait, too. */
  signIn(): Promise<string>;
}

const reusedMs = 5 * 60_000;

/** Signs in and makes a product. */
export async function openAdmin(url: string, password: string): Promise<Admin> {
  const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  let token = '';
  let madeAt = Number.NEGATIVE_INFINITY;
  const signIn = async (): Promise<string> => {
    if (performance.now() - madeAt < reusedMs) return token;
    const answer = await post('/api/auth/login', { username: 'admin', password });
    if (answer.status === 429) {
      await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('retry-after')) * 1000));
      return signIn();
    }
    token = await member(answer, 'accessToken');
    madeAt = performance.now();
    return token;
  };
  const product = { sku: 'LAMP', name: 'Lamp', price: { amount: 1, currency: 'GBP' }, initialStock: 1_000_000 };
  const made = await post('/api/products', product, { Authorization: `Bearer ${await signIn()}` });
  return { productId: await member(made, 'id'), signIn };
}

async function member(answer: Response, name: string): Promise<string> {
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}`);
  return String(((await answer.json()) as Record<string, unknown>)[name]);
}

/** Product reads, one after the other, while so many clients sign in with wrong passwords. */
export async function trafficOf(
  { url, productId }: { url: string; productId: string },
  { seconds, logins }: { seconds: number; logins: number },
): Promise<Traffic> {
  const endsAt = performance.now() + seconds * 1000;
  const traffic = { readMs: [] as number[], reads: {}, signIns: {} };
  const body = JSON.stringify({ username: 'nobody.at.all', password: 'a wrong password' });
  const signIn = async () => {
    const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
    while (performance.now() < endsAt) count(traffic.signIns, await statusOf(`${url}/api/auth/login`, asked));
  };
  const read = async () => {
    while (performance.now() < endsAt) {
      const beganAt = performance.now();
      const status = await statusOf(`${url}/api/products/${productId}`);
      count(traffic.reads, status);
      if (status === '200') traffic.readMs.push(performance.now() - beganAt);
    }
  };
  await Promise.all([read(), ...Array.from({ length: logins }, signIn)]);
  return traffic;
}

/** `unanswered`: the connection failed. One that the client had kept while nobody used it may have ended. */
async function statusOf(url: string, asked: RequestInit = {}): Promise<string> {
  try {
    const answer = await fetch(url, asked);
    await answer.arrayBuffer();
    return String(answer.status);
  } catch {
    return 'unanswered';
  }
}

function count(statuses: Record<string, number>, status: string): void {
  statuses[status] = (statuses[status] ?? 0) + 1;
}

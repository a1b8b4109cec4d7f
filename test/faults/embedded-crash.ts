import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { auditShop } from '../../src/audit-shop.ts';
import type { CrashPoint } from '../../src/shared/crash-setting.ts';
import { openSqlite } from '../../src/shared/database.ts';
import { tokensOf } from './actors.ts';
import type { OrderView } from './evidence.ts';
import type { Keeper } from './keeper.ts';
import { afterAMinute } from './settled-audit.ts';
import { field, member, openShopClient, type ShopClient } from './shop-client.ts';
import { createShopProcess, type ShopProcess } from './shop-process.ts';

const env = {
  ADMIN_USERNAME: 'admin',
  ADMIN_PASSWORD: 'the first of all on this shelf',
  BCRYPT_COST: '4',
  FAULT_INTERVALS: JSON.stringify({ relay: 50, sweep: 200, heldFor: 1000 }),
};
const initialStock = 10;
const quantity = 2;
const crashMs = 15_000;
const settleMs = 15_000;

/**
 * One process on embedded storage dies at a point of its first order and is started again; then the same request under the same
 * key has to give one order, confirmed, with nothing held and a clean audit. Answers what is not so.
 */
export async function crashEmbedded(point: CrashPoint, keeper: Keeper): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'crash-'));
  keeper.keepFolder(folder);
  const shop = await createShopProcess({ name: 'shop', keeper, folder, program: 'test/faults/shop-program.ts', env });
  const client = openShopClient(shop.url, 5000);
  try {
    return await crashAndRecover({ point, shop, client, file: join(folder, 'data-shop', 'shop.sqlite') });
  } finally {
    client.close();
    await shop.kill();
  }
}

interface Crash {
  readonly point: CrashPoint;
  readonly shop: ShopProcess;
  readonly client: ShopClient;
  /** the database */
  readonly file: string;
}

async function crashAndRecover({ point, shop, client, file }: Crash): Promise<readonly string[]> {
  // an attempt is given up only when somebody has left one behind
  const onVoid = point.endsWith('void-commit');
  shop.setEnv({ CRASH_AT: onVoid ? 'after-reserve-commit' : point });
  await shop.start();
  const { token, productId } = await open(client);
  const ask = {
    method: 'POST',
    path: '/api/orders',
    token,
    key: 'one',
    body: { items: [{ productId, quantity }] },
  } as const;
  shop.setEnv(onVoid ? { CRASH_AT: point } : {});
  const first = await client.ask(ask);
  if (!(await hasEnded(shop, 1))) return [`${point} was never reached`];
  if (onVoid) {
    const gaveUp = await hasEnded(shop, 2);
    shop.setEnv({});
    if (!gaveUp) return [`${point} was never reached`];
  }
  await shop.start();
  const again = [await placed(client, ask), await placed(client, ask)];
  const settled = await settledOrders(client, token, productId);
  const audited = await auditedBeside(file);
  await shop.kill('SIGTERM');
  const found = [...again, ...(first.status === 201 ? [first] : [])].map(({ body }) => body as OrderView); // of the contract
  const broken = [];
  if (found.some((order) => order === undefined || !isDeepStrictEqual(order, found[0])))
    broken.push(`${point}: the answers differ`);
  if (settled.ids.length !== 1 || settled.ids[0] !== found[0]?.id)
    broken.push(`${point}: there are ${settled.ids.length} orders`);
  if (settled.status !== 'confirmed') broken.push(`${point}: the order stays ${settled.status}`);
  if (settled.onHand !== initialStock - quantity || settled.reserved !== 0)
    broken.push(`${point}: ${settled.onHand} on hand, ${settled.reserved} reserved`);
  broken.push(...audited.map((finding) => `${point}: ${finding}`));
  return broken;
}

/** Beside the running server, until it is clean: a relay that has died holds its events for some seconds. */
async function auditedBeside(file: string): Promise<readonly string[]> {
  for (const deadline = Date.now() + settleMs; ; await pause(200)) {
    const db = await openSqlite({ file, readOnly: true });
    const findings: string[] = [];
    for await (const { invariant, subject, detail } of auditShop({ db }, afterAMinute()))
      findings.push(`${invariant} ${subject}: ${detail}`);
    await db.close();
    if (findings.length === 0 || Date.now() > deadline) return findings;
  }
}

/** A product on the shelf and a customer. */
async function open(client: ShopClient): Promise<{ readonly token: string; readonly productId: string }> {
  const account = { username: env.ADMIN_USERNAME, password: env.ADMIN_PASSWORD };
  const admin = await client.ask({ method: 'POST', path: '/api/auth/login', body: account });
  const product = await client.ask({
    method: 'POST',
    path: '/api/products',
    token: tokensOf(admin.body).accessToken,
    body: { sku: 'LAMP', name: 'Lamp', price: { amount: 100, currency: 'GBP' }, initialStock },
  });
  const customer = await client.ask({
    method: 'POST',
    path: '/api/auth/register',
    body: { username: 'ada', password: 'a lamp for every desk' },
  });
  return { token: tokensOf(customer.body).accessToken, productId: field(product.body, 'id') ?? '' };
}

async function hasEnded(shop: ShopProcess, times: number): Promise<boolean> {
  const deadline = Date.now() + crashMs;
  while (shop.ends().count < times && Date.now() < deadline) await pause(20);
  return shop.ends().count >= times && shop.ends().signal === 'SIGKILL';
}

/** Asks until the answer is definite. */
async function placed(client: ShopClient, ask: Parameters<ShopClient['ask']>[0]) {
  for (const deadline = Date.now() + settleMs; ; ) {
    const answer = await client.ask(ask);
    if (answer.status === 201 || Date.now() > deadline) return answer;
    await pause(100);
  }
}

async function settledOrders(client: ShopClient, token: string, productId: string) {
  for (const deadline = Date.now() + settleMs; ; ) {
    const list = await client.ask({ method: 'GET', path: '/api/orders', token });
    const stock = await client.ask({ method: 'GET', path: `/api/products/${productId}/stock` });
    const orders = (member(list.body, 'data') ?? []) as readonly OrderView[]; // of the contract
    const [onHand, reserved] = [member(stock.body, 'onHand'), member(stock.body, 'reserved')];
    const status = orders[0]?.status;
    const settled = { ids: orders.map(({ id }) => id), status, onHand, reserved };
    if ((status === 'confirmed' && reserved === 0) || Date.now() > deadline) return settled;
    await pause(50);
  }
}

import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Inject } from './fault-run.ts';
import { field, openShopClient, perform, slugOf } from './shop-client.ts';

/** What clients do to the shop. */

/** They hang up as soon as they have sent their order; the same key tells later what became of it. */
export const vanishingClients: Inject = async (scene) => {
  const { cluster, load, random, ms } = scene;
  const until = Date.now() + ms(4000);
  const client = openShopClient(cluster.url);
  while (Date.now() < until) {
    const buyer = random.pick(load.buyers);
    const key = `vanished-${randomUUID()}`;
    const items = [{ productId: random.pick(load.products.slice(0, 5)).id, quantity: 1 }];
    const token = buyer.token();
    const startedAt = performance.now();
    await hangUp(random.pick(cluster.shops).port, { token, key, body: JSON.stringify({ items }) }, random.below(30));
    load.history.add({
      ...{ kind: 'place', user: buyer.username, key, items, outcome: 'unknown' },
      ...{ startedAt, endedAt: performance.now() },
    });
    await buyer.insist({ kind: 'place', key, items }, { method: 'POST', path: '/api/orders', token, key, body: { items } });
  }
  client.close();
};

async function hangUp(
  port: number,
  { token, key, body }: { token: string; key: string; body: string },
  afterMs: number,
): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    [
      'POST /api/orders HTTP/1.1',
      'Host: shop',
      `Authorization: Bearer ${token}`,
      `Idempotency-Key: ${key}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  await pause(afterMs);
  socket.resetAndDestroy();
}

const copies = 20;

/** One order, whoever of the copies made it. */
export const sameKeyAtOnce: Inject = async (scene) => {
  const { cluster, load, random } = scene;
  const clients = cluster.shops.map(({ url }) => openShopClient(url));
  for (let round = 0; round < 10; round++) {
    const buyer = random.pick(load.buyers);
    const key = `twenty-${randomUUID()}`;
    const items = [{ productId: random.pick(load.products.slice(0, 5)).id, quantity: 1 }];
    const ask = { method: 'POST', path: '/api/orders', token: buyer.token(), key, body: { items } } as const;
    const known = { kind: 'place', user: buyer.username, key, items } as const;
    const answers = await Promise.all(
      Array.from({ length: copies }, (_, index) => clients[index % clients.length])
        .filter((client) => client !== undefined)
        .map((client) => perform(client, load.history, { ask, known })),
    );
    const ids = new Set(answers.filter(({ status }) => status === 201).map(({ body }) => field(body, 'id')));
    const [other] = answers.filter(({ outcome, status }) => outcome !== 'unknown' && status !== 201);
    if (ids.size > 1) scene.complain(`I-04: ${ids.size} orders for one key`);
    if (other !== undefined) scene.complain(`I-04: a copy was answered ${other.status} ${other.text}`);
    await buyer.insist({ kind: 'place', key, items }, ask);
  }
  for (const client of clients) client.close();
};

/** Three times as many as the shop has time for: who is let in is served, the others are told when to come again. */
export const overload: Inject = async (scene) => {
  const { cluster, load, random, ms } = scene;
  const until = Date.now() + ms(6000);
  const crowd = Array.from({ length: 60 }, async () => {
    const client = openShopClient(cluster.url);
    while (Date.now() < until) {
      const buyer = random.pick(load.buyers);
      const key = `crowd-${randomUUID()}`;
      const items = [{ productId: random.pick(load.products.slice(0, 5)).id, quantity: 1 }];
      await buyer.insist(
        { kind: 'place', key, items },
        { method: 'POST', path: '/api/orders', token: buyer.token(), key, body: { items } },
      );
    }
    client.close();
  });
  await Promise.all(crowd);
};

const shoppers = 300;

/** Everybody wants the last pieces of one product; the checkers count what was sold. */
export const hotProduct: Inject = async (scene) => {
  const { load, random } = scene;
  const scarce = load.products.at(-1);
  if (scarce === undefined) return;
  const items = [{ productId: scarce.id, quantity: 1 }];
  const wish = async () => {
    const buyer = random.pick(load.buyers);
    const key = `hot-${randomUUID()}`;
    return buyer.insist(
      { kind: 'place', key, items },
      { method: 'POST', path: '/api/orders', token: buyer.token(), key, body: { items } },
    );
  };
  const answers = await Promise.all(Array.from({ length: shoppers }, wish));
  const refused = answers.filter((answer) => slugOf(answer) === 'out-of-stock').length;
  if (refused === 0) scene.complain('everybody got a piece of what there is too little of');
};

const dribblers = 200;
/** ten seconds for the headers, and a second or two until somebody looks */
const dribbleMs = 14_000;

/** They send a byte now and then, and are shut out; the load goes on beside them. */
export const dribblingClients: Inject = async (scene) => {
  const { port } = scene.random.pick(scene.cluster.shops);
  let open = dribblers;
  const sockets = Array.from({ length: dribblers }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => (open -= 1));
    socket.on('data', () => undefined);
    socket.write('POST /api/orders HTTP/1.1\r\nHost: shop\r\nX-Slow: ');
    return socket;
  });
  const dribble = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('a');
  }, 1000);
  for (const deadline = Date.now() + dribbleMs; open > 0 && Date.now() < deadline; ) await pause(100);
  clearInterval(dribble);
  if (open > 0) scene.complain(`${open} of ${dribblers} dribbling clients are still there`);
  for (const socket of sockets) socket.destroy();
};

const refusedWithinMs = 2000;

/** The refusal does not wait for what was announced. */
export const announcedBody: Inject = async (scene) => {
  const { port } = scene.random.pick(scene.cluster.shops);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const token = scene.load.buyers[0]?.token();
  const head = ['POST /api/orders HTTP/1.1', 'Host: shop', `Authorization: Bearer ${token}`, 'Content-Type: application/json'];
  socket.write([...head, 'Content-Length: 100000000', '', '{'].join('\r\n'));
  const answer = await Promise.race([
    new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk)))),
    pause(refusedWithinMs, 'silence'),
  ]);
  socket.destroy();
  if (!answer.startsWith('HTTP/1.1 413')) scene.complain(`a body of 100 MB was answered: ${answer.slice(0, 40)}`);
};

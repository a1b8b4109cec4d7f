import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { percentile } from './bench-row.ts';
import type { OrderLoad, OrderLoadResult } from './order-load.ts';

/**
 * The clients of the order rows, on raw sockets that stay open, because a client of Node's own would take as much of the machine as the
 * server. Every status counts, every order's id is kept, and of each answer the body is compared with what was ordered.
 */
interface Sent {
  readonly at: number;
  readonly productIds: readonly string[];
}

const linesPerOrder = 3;
const mostTold = 5;
const headEnd = '\r\n\r\n';
const lengthHeader = /\r\ncontent-length: (\d+)/i;

async function main(): Promise<void> {
  // what order-load.ts writes
  const load = (await json(process.stdin)) as OrderLoad;
  const statuses: Record<string, number> = {};
  const ids = new Set<string>();
  const wrong: string[] = [];
  const latencies: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + load.seconds * 1000;

  const take = (status: string, body: string, sent: Sent) => {
    latencies.push(performance.now() - sent.at);
    statuses[status] = (statuses[status] ?? 0) + 1;
    const problem = status === '201' ? problemOf(body, sent, ids) : body;
    if (problem !== undefined && wrong.length < mostTold) wrong.push(problem);
  };
  await Promise.all(Array.from({ length: load.clients }, (_, number) => runClient({ load, number, endsAt, take })));

  const seconds = (performance.now() - startedAt) / 1000;
  const result: OrderLoadResult = {
    ...{ statuses, distinctOrders: ids.size, wrong, seconds },
    medianMs: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
  process.stdout.write(JSON.stringify(result));
}

/** What is wrong with an order, if anything is. Notes its id. */
function problemOf(body: string, { productIds }: Sent, ids: Set<string>): string | undefined {
  const order = JSON.parse(body);
  if (ids.has(order.id)) return `the order ${order.id} was answered twice`;
  ids.add(order.id);
  const sold = order.items.map((item: { productId: string }) => item.productId).sort();
  const sum = order.items.reduce((total: number, item: { lineTotal: { amount: number } }) => total + item.lineTotal.amount, 0);
  const right = order.status === 'placed' && sum === order.total.amount && sold.join() === [...productIds].sort().join();
  return right ? undefined : `not what was ordered: ${body.slice(0, 300)}`;
}

interface Client {
  readonly load: OrderLoad;
  readonly number: number;
  readonly endsAt: number;
  readonly take: (status: string, body: string, sent: Sent) => void;
}

/** One client: sends, waits for the whole answer, sends again, until its time is over. @throws when the connection breaks */
function runClient({ load, number, endsAt, take }: Client): Promise<void> {
  const token = load.tokens[number % load.tokens.length] ?? '';
  const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
  let sent = sendOrder(socket, load, token);
  let text = '';
  return new Promise((resolve, reject) => {
    socket.setEncoding('latin1');
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed a connection')));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const headLength = text.indexOf(headEnd);
      if (headLength === -1) return;
      const bodyStart = headLength + headEnd.length;
      const bodyEnd = bodyStart + Number(lengthHeader.exec(text.slice(0, bodyStart))?.[1] ?? 0);
      if (text.length < bodyEnd) return;
      take(text.slice(9, 12), text.slice(bodyStart, bodyEnd), sent);
      text = '';
      if (performance.now() < endsAt) {
        sent = sendOrder(socket, load, token);
        return;
      }
      socket.removeAllListeners('close');
      socket.end();
      resolve();
    });
  });
}

function sendOrder(socket: Socket, load: OrderLoad, token: string): Sent {
  const productIds = chooseProducts(load);
  const items = productIds.map((productId) => `{"productId":"${productId}","quantity":1}`);
  const body = `{"items":[${items.join()}]}`;
  const sent = { at: performance.now(), productIds };
  socket.write(
    `POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: ${randomUUID()}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return sent;
}

function chooseProducts({ productIds, hotProductId }: OrderLoad): readonly string[] {
  const chosen = new Set(hotProductId === undefined ? [] : [hotProductId]);
  while (chosen.size < linesPerOrder) chosen.add(productIds[Math.floor(Math.random() * productIds.length)] ?? '');
  return [...chosen];
}

await main();

import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from './bench-row.ts';
import type { OpenOrderLoad, OpenOrderResult } from './order-load.ts';
import { chooseProducts, type OrderSocket, openOrderSocket } from './order-socket.ts';

/**
 * Orders that come at a constant rate, however long answers take: a customer who finds no connection free opens one more. Times count
 * from when an order was due, so that a client that is late does not flatter the server.
 */
const tickMs = 2;

async function main(): Promise<void> {
  // what overload-row.ts hands to runProgram
  const load = (await json(process.stdin)) as OpenOrderLoad;
  const idle: OrderSocket[] = [];
  const statuses: Record<string, number> = {};
  const latencies: Record<string, number[]> = {};
  const underWay = new Set<Promise<void>>();
  let opened = 0;

  const one = async (dueAt: number) => {
    const token = load.tokens[opened % load.tokens.length] ?? '';
    const socket = idle.pop() ?? openOrderSocket({ port: load.port, token });
    opened += 1;
    let status = 'broken';
    try {
      ({ status } = await socket.place(chooseProducts(load)));
      idle.push(socket);
    } catch {
      // counted as broken
    }
    statuses[status] = (statuses[status] ?? 0) + 1;
    const known = latencies[status] ?? [];
    latencies[status] = known;
    known.push(performance.now() - dueAt);
  };

  const startedAt = performance.now();
  for (let sent = 0; performance.now() - startedAt < load.seconds * 1000; await pause(tickMs)) {
    const due = ((performance.now() - startedAt) * load.ratePerSecond) / 1000;
    for (; sent < due; sent += 1) {
      const work = one(startedAt + (sent * 1000) / load.ratePerSecond).finally(() => underWay.delete(work));
      underWay.add(work);
    }
  }
  const sentSeconds = (performance.now() - startedAt) / 1000;
  await Promise.all(underWay);
  for (const socket of idle) socket.close();
  const p99 = (status: string) => (latencies[status] === undefined ? 0 : percentile(latencies[status], 0.99));
  const result: OpenOrderResult = { statuses, seconds: sentSeconds, placedP99Ms: p99('201'), refusedP99Ms: p99('503') };
  process.stdout.write(JSON.stringify(result));
}

await main();

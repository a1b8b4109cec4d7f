import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from './bench-row.ts';
import { type HttpSocket, openHttpSocket } from './http-socket.ts';
import type { OpenReadLoad, OpenReadResult } from './open-reads.ts';

/**
 * Reads that come at a constant rate, however long answers take: who finds no connection free opens one more. A time counts from
 * when the bytes are sent: that this program is late is no fault of the server.
 */
const tickMs = 1;
const mostTold = 3;

async function main(): Promise<void> {
  // what open-reads.ts hands to runProgram
  const load = (await json(process.stdin)) as OpenReadLoad;
  const request = `GET ${load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
  const idle: HttpSocket[] = [];
  const latencies: number[] = [];
  const wrong: string[] = [];
  const underWay = new Set<Promise<void>>();

  const one = async () => {
    const socket = idle.pop() ?? openHttpSocket(load.port);
    const sentAt = performance.now();
    try {
      const { status, body } = await socket.ask(request);
      latencies.push(performance.now() - sentAt);
      if (status !== '200' || body !== load.body) wrong.push(`${status} ${body.slice(0, 200)}`);
      idle.push(socket);
    } catch (error) {
      wrong.push(String(error));
    }
  };

  const startedAt = performance.now();
  const total = Math.ceil(load.ratePerSecond * load.seconds);
  for (let sent = 0; sent < total; await pause(tickMs)) {
    const due = Math.min(total, ((performance.now() - startedAt) * load.ratePerSecond) / 1000);
    for (; sent < due; sent += 1) {
      const work = one().finally(() => underWay.delete(work));
      underWay.add(work);
    }
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(underWay);
  for (const socket of idle) socket.close();
  const result: OpenReadResult = {
    ...{ sent: total, seconds, wrong: wrong.length, told: wrong.slice(0, mostTold) },
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
  process.stdout.write(JSON.stringify(result));
}

await main();

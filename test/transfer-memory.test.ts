import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingMessage, request as openRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type ServerProcess, startServer } from './harness/server-process.ts';

/** A process of its own, whose memory is looked at from outside while hundreds of megabytes go through it. */

const password = 'the first admin of all';
const rowsPerChunk = 50;
const description = 'long words '.repeat(300);
const allowedMib = 64;
const progressEveryMs = 1100;

let folder: string;
let server: ServerProcess;
let token: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'transfer-'));
  server = await startServer({ DATA_DIR: folder, ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: password, LOG_LEVEL: 'warn' });
  const answer = await fetch(`${server.url}/api/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password }),
  });
  ({ accessToken: token } = (await answer.json()) as { accessToken: string });
});
afterAll(async () => {
  await server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Resident memory of the server, as Linux tells in a file and macOS by a program. */
function memoryMib(): number {
  const status = `/proc/${server.pid}/status`;
  const kib = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(server.pid)], { encoding: 'utf8' });
  return Number(kib) / 1024;
}

/**
 * The same few hundred products over and over, so that most of the time goes into reading and comparing them. Half way the
 * sender takes its time, so that there is progress to tell however fast the machine is.
 */
async function* rows(count: number): AsyncGenerator<string> {
  for (let first = 0; first < count; first += rowsPerChunk) {
    const chunk = Array.from({ length: rowsPerChunk }, (_, index) =>
      JSON.stringify({ sku: `S-${(first + index) % 500}`, name: 'x', price: { amount: 1, currency: 'GBP' }, description }),
    );
    yield `${chunk.join('\n')}\n`;
    if (first === count / 2) await pause(progressEveryMs);
  }
}

async function importRows(count: number): Promise<{ readonly report: string; readonly mostMib: number }> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-ndjson' };
  const request = openRequest(`${server.url}/api/products/import`, { method: 'POST', headers });
  let mostMib = 0;
  const timer = setInterval(() => {
    mostMib = Math.max(mostMib, memoryMib());
  }, 50);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>; // what the event is about
  const sent = pipeline(Readable.from(rows(count)), request);
  const [response] = await answered;
  let report = '';
  for await (const chunk of response) report += chunk;
  await sent;
  clearInterval(timer);
  return { report, mostMib };
}

it('an import takes the same memory for 130 MB as for 10, and tells how far it is while more comes in', async () => {
  await importRows(3000);
  const few = await importRows(3000);
  const many = await importRows(40_000);
  expect(many.report.trim().split('\n').at(-1)).toMatch(/"complete":true,"row":40000,"created":0,"updated":0,"unchanged":40000/);
  expect(many.report).toContain('"kind":"progress"');
  process.stderr.write(`most memory: ${few.mostMib.toFixed(0)} MiB for 10 MB, ${many.mostMib.toFixed(0)} MiB for 130 MB\n`);
  expect(many.mostMib - few.mostMib).toBeLessThan(allowedMib);
}, 60_000);

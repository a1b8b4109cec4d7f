import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { route } from '../src/shared/route.ts';
import { startFront } from './harness/front.ts';
import { sampleRoutes } from './harness/sample-routes.ts';

/** An answer of more bytes than the kernel holds for a client that does not read. */
const cargoRoute = route({
  method: 'get',
  path: '/cargo',
  access: 'public',
  quota: 'none',
  shedding: 'never',
  tag: 'Boats',
  operationId: 'getCargo',
  summary: 'All of it',
  description: 'Much.',
  replies: { 200: { description: 'Cargo', body: z.object({ cargo: z.string() }) } },
  problems: [],
  handle: async () => ({ status: 200, body: { cargo: 'x'.repeat(16 * 1024 * 1024) } }),
});

/** One GET over a given agent, so that a test can tell connections apart. */
function get(url: string, agent: Agent): Promise<{ status: number; connection: string | undefined; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      response.resume();
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, reused: sent.reusedSocket }),
      );
    });
    sent.once('error', reject);
    sent.end();
  });
}

describe('draining', () => {
  it('is not ready at once, goes on serving, and asks clients to close', async () => {
    const front = await startFront();
    const agent = new Agent({ keepAlive: true });
    expect((await get(`${front.url}/boats`, agent)).connection).toBe('keep-alive');
    const drained = front.http.drain({ delayMs: 500, timeoutMs: 1000 });
    expect(await get(`${front.url}/boats`, agent)).toEqual({ status: 200, connection: 'close', reused: true });
    expect(await get(`${front.url}/readyz`, agent)).toMatchObject({ status: 503, connection: 'close' });
    expect((await get(`${front.url}/livez`, agent)).status).toBe(200);
    await drained;
    await expect(get(`${front.url}/boats`, agent)).rejects.toThrow('ECONNREFUSED');
  });

  it('answers what is under way, and does not wait for connections that are idle', async () => {
    const front = await startFront();
    const idle = new Agent({ keepAlive: true });
    await get(`${front.url}/boats`, idle);
    const slow = get(`${front.url}/storms/slow`, new Agent({ keepAlive: true }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await front.http.drain({ delayMs: 0, timeoutMs: 10_000 });
    expect(await slow).toMatchObject({ status: 200, connection: 'close' });
  });

  it('sends an answer to its end, however slowly it is read', async () => {
    const front = await startFront({ routes: [...sampleRoutes, cargoRoute] });
    const { port } = new URL(front.url);
    const socket = connect(Number(port), '127.0.0.1').pause();
    socket.write('GET /cargo HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const drained = front.http.drain({ delayMs: 0, timeoutMs: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await text(socket)).slice(-20)).toMatch(/x"\}$/);
    await drained;
  });

  it('does not wait for connections that were never used', async () => {
    const front = await startFront();
    const silent = connect(Number(new URL(front.url).port), '127.0.0.1');
    const half = connect(Number(new URL(front.url).port), '127.0.0.1');
    await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
    half.write('GET /bo');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startedAt = performance.now();
    await front.http.drain({ delayMs: 0, timeoutMs: 10_000 });
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('cuts what takes longer than it may', async () => {
    const front = await startFront();
    const slow = get(`${front.url}/storms/slow`, new Agent());
    const cut = expect(slow).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await front.http.drain({ delayMs: 0, timeoutMs: 50 });
    await cut;
  });

  it('is one drain, however often it is asked for', async () => {
    const front = await startFront();
    const drains = [front.http.drain({ delayMs: 100, timeoutMs: 100 }), front.http.drain({ delayMs: 60_000, timeoutMs: 60_000 })];
    await Promise.all(drains);
    front.readiness.become('ready');
    expect(front.readiness.state()).toBe('draining');
  });
});

describe('the process', () => {
  let folder: string;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'draining-'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends on %s with code 0 after the answers under way, and ignores a second signal',
    async (signal) => {
      const server = spawn(process.execPath, ['src/server.ts'], {
        // the hash of a password takes long enough at this cost to be under way when the signal comes
        env: { PATH: process.env.PATH, DATA_DIR: folder, PORT: '0', BCRYPT_COST: '12', DRAIN_DELAY_MS: '1000' },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      child = server;
      const ended = once(server, 'exit');
      const url = `http://127.0.0.1:${await listeningPort(server)}`;
      const registered = fetch(`${url}/api/auth/register`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username: 'ann', password: 'long enough to be a password' }),
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      server.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 100));
      server.kill(signal);
      expect((await fetch(`${url}/livez`)).headers.get('connection')).toBe('close');
      const answer = await registered;
      expect({ status: answer.status, connection: answer.headers.get('connection') }).toEqual({
        status: 201,
        connection: 'close',
      });
      expect(await ended).toEqual([0, null]);
      await expect(fetch(`${url}/livez`)).rejects.toThrow();
    },
    60_000,
  );
});

/** Reads the log of the process until it says where it listens, and then goes on reading, so that it never has to wait. */
async function listeningPort({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error('a process without output');
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const { msg, port } = JSON.parse(line);
      if (msg === 'listening') resolve(port);
    });
  });
}

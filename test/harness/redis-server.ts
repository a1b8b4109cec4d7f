import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';

const program = 'redis-server';

/** Whether the stories with Redis can be told here. With REQUIRE_SERVICES=true a missing program is a failure. */
export function describeWithRedis(): jest.Describe {
  if (hasRedis()) return describe;
  if (process.env.REQUIRE_SERVICES === 'true') throw new Error(`${program} is not installed, and REQUIRE_SERVICES=true.`);
  process.stderr.write(`Left out, because ${program} is not installed: ${expect.getState().testPath}\n`);
  return describe.skip;
}

export function hasRedis(): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

export interface RedisServer {
  readonly url: string;
  /** a client of the test's own */
  readonly client: Redis;
  /** from now on nothing listens */
  kill(): Promise<void>;
  /** on the same port, empty */
  start(): Promise<void>;
  /** connections stay, nothing is answered */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** A Redis of the test's own, on a free port and without anything on disk. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);

  const start = async () => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    child = spawn(program, options, { stdio: 'ignore' });
    await eventually(() => client.ping());
  };
  const kill = async () => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    child = undefined;
  };
  await start();
  return {
    url,
    client,
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop: async () => {
      client.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('That is no TCP port.');
  return address.port;
}

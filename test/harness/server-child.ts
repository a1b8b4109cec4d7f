import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A server that the tests started. */
export interface Server {
  stop(): Promise<void>;
}

const stopMs = 20_000;
const startMs = 60_000;
const betweenMs = 50;

/** Stops this very process: asks, then kills. */
export function stoppable(child: ChildProcess): Server {
  return {
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Tries until the server answers. @throws with what it wrote when it ended instead, or what was wrong last */
export async function answering(name: string, child: ChildProcess, ask: () => Promise<unknown>): Promise<void> {
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => void output.push(chunk.toString()));
  const deadline = Date.now() + startMs;
  for (;;) {
    try {
      return void (await ask());
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${output.join('').slice(-2000)}`);
      if (Date.now() > deadline) throw error;
    }
    await pause(betweenMs);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Keeper } from '../test/faults/keeper.ts';

export interface BaselineServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a program of `baselines/` that reads what it answers from its standard input and tells its port. */
export async function startBaseline(keeper: Keeper, file: string, answer: object): Promise<BaselineServer> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'baselines', file)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH, NODE_ENV: 'production' },
  });
  keeper.keepChild(child);
  child.stdin.end(JSON.stringify(answer));
  for await (const line of createInterface({ input: child.stdout })) {
    const ended = once(child, 'exit');
    return {
      url: `http://127.0.0.1:${JSON.parse(line).port}`,
      stop: async () => {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }
  throw new Error(`${file} ended without a word.`);
}

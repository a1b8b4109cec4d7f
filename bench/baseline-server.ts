import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Keeper } from '../test/faults/keeper.ts';

export interface BaselineServer<Told = { readonly port: number }> {
  readonly url: string;
  /** its port, and whatever else it tells */
  readonly told: Told;
  stop(): Promise<void>;
}

/** Starts a program of `baselines/` that reads what it answers from its standard input and tells its port. */
export async function startBaseline<Told extends { readonly port: number }>(
  keeper: Keeper,
  file: string,
  answer: object,
): Promise<BaselineServer<Told>> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'baselines', file)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH, NODE_ENV: 'production' },
  });
  keeper.keepChild(child);
  child.stdin.end(JSON.stringify(answer));
  for await (const line of createInterface({ input: child.stdout })) {
    const ended = once(child, 'exit');
    const told: Told = JSON.parse(line);
    return {
      url: `http://127.0.0.1:${told.port}`,
      told,
      stop: async () => {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }
  throw new Error(`${file} ended without a word.`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Keeper } from '../test/faults/keeper.ts';

/** What goes on beside a measurement, in a process of its own. */
export interface BackgroundLoad<Result> {
  /** Ends it, waits for what it has under way, and answers what came of it. @throws when it failed */
  stop(): Promise<Result>;
}

const longestBeginMs = 30_000;

/**
 * Starts a program of this folder that reads JSON from its standard input, writes a line once it is in full swing, and its result as a
 * second line after SIGTERM. It stands for other machines, so it yields to whatever else wants this one's processors.
 */
export async function startBackgroundLoad<Result>(keeper: Keeper, file: string, input: object): Promise<BackgroundLoad<Result>> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, file)], { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH } });
  keeper.keepChild(child);
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const ended = once(child, 'close');
  child.stdin.end(JSON.stringify(input));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tooLong = setTimeout(() => child.kill('SIGKILL'), longestBeginMs);
  const began = await lines.next();
  clearTimeout(tooLong);
  if (began.done) throw new Error(`${file} ended before it began, or did not come into swing in ${longestBeginMs / 1000} s.`);
  return {
    stop: async () => {
      child.kill('SIGTERM');
      const last = await lines.next();
      const [code] = await ended;
      if (code !== 0 || last.done) throw new Error(`${file} ended with ${code}.`);
      return JSON.parse(last.value); // of our own program
    },
  };
}

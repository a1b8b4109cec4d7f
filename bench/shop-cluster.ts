import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Keeper } from '../test/faults/keeper.ts';
import { lastingPort } from '../test/faults/managed-program.ts';

/** `npm run cluster` on the built server: pm2 with workers for requests and one process for what goes on beside them. */
export const clusterProgram = 'src/commands/cluster.ts';

const execute = promisify(execFile);
const longestStartMs = 60_000;
const betweenLooksMs = 250;
const mostOutput = 10_000_000;

/** What such a process needs to know beside what one alone needs. */
export async function clusterSettings(folder: string, workers: number): Promise<Readonly<Record<string, string>>> {
  return {
    PM2_HOME: join(folder, 'pm2'),
    WEB_CONCURRENCY: String(workers),
    WORKER_PORT: String(await lastingPort()),
  };
}

interface Listed {
  readonly pid: number;
  readonly name: string;
  readonly pm2_env: { readonly status: string };
}

/**
 * Waits until all processes of a cluster are there, and answers the ids of those that are the shop. pm2 and they end with the run.
 * @throws when one does not come up in time
 */
export async function clusterPids({
  keeper,
  pid,
  workers,
  settings,
}: {
  readonly keeper: Keeper;
  /** of the program that was started */
  readonly pid: number | undefined;
  readonly workers: number;
  readonly settings: Readonly<Record<string, string>>;
}): Promise<readonly number[]> {
  const { PATH = '' } = process.env;
  const program = join(import.meta.dirname, '..', clusterProgram);
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' '))
    keeper.keepProcess(Number(child));
  for (const deadline = Date.now() + longestStartMs; Date.now() < deadline; await pause(betweenLooksMs)) {
    const options = { env: { PATH, ...settings }, maxBuffer: mostOutput };
    const { stdout } = await execute(process.execPath, [program, 'jlist'], options);
    const listed: readonly Listed[] = JSON.parse(stdout.slice(stdout.indexOf('[{'))); // as pm2 writes it
    for (const one of listed) if (one.pid > 0) keeper.keepProcess(one.pid);
    const online = listed.filter(({ name, pm2_env }) => name !== 'watch' && pm2_env.status === 'online');
    if (online.length === workers + 1) return online.map((one) => one.pid);
  }
  throw new Error(`The cluster did not come up with ${workers} workers.`);
}

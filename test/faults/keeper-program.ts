import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Belonging } from './keeper.ts';

/** A program: hears on its standard input what a run has started, and clears it away when that input ends. */
type Line = Belonging | { readonly gone: number };

const patienceMs = 5000;
const betweenMs = 20;

async function main(): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const pids = new Set<number>();
  const folders: string[] = [];
  const mounts: string[] = [];
  for await (const text of createInterface({ input: process.stdin })) {
    const line = JSON.parse(text) as Line; // written by keeper.ts
    if ('pid' in line) pids.add(line.pid);
    else if ('gone' in line) pids.delete(line.gone);
    else if ('folder' in line) folders.push(line.folder);
    else mounts.push(line.mount);
  }
  for (const pid of pids) signalled(pid, 'SIGKILL');
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && [...pids].some((pid) => signalled(pid, 0))) await pause(betweenMs);
  for (const mount of mounts) spawnSync('umount', ['--lazy', mount]);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Whether there is such a process. */
function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

await main();

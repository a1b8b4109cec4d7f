import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Keeper } from './keeper.ts';

/** A program that can be killed, frozen and started again, on its port and with what it had on disk. */
export interface ManagedProgram {
  readonly name: string;
  /** Starts it and waits until it answers. Tries again when it ends before that. @throws when it does not come up in time */
  start(): Promise<void>;
  /** Starts it without waiting. */
  launch(): void;
  /** Ends it and waits until it is gone. Answers what `exit` says: its code and the signal that ended it. */
  kill(signal?: NodeJS.Signals): Promise<readonly [number | null, NodeJS.Signals | null]>;
  /** SIGSTOP: connections stay, nothing moves */
  freeze(): void;
  thaw(): void;
  /** when it was frozen so far, oldest first */
  freezes(): readonly Freeze[];
  isRunning(): boolean;
  pid(): number | undefined;
}

/** By the clock of `performance.now()`; not over yet: until infinity. */
export interface Freeze {
  readonly since: number;
  readonly until: number;
}

/** How much of a time a program was kept from its work by a freeze, in milliseconds. */
export function frozenMs(freezes: readonly Freeze[], { since, until }: Freeze): number {
  const overlaps = freezes.map((freeze) => Math.min(until, freeze.until) - Math.max(since, freeze.since));
  return overlaps.reduce((sum, ms) => sum + Math.max(0, ms), 0);
}

export interface ProgramOptions {
  readonly name: string;
  readonly keeper: Keeper;
  readonly spawn: () => ChildProcess;
  /** rejects until the program does its work */
  readonly answers: () => Promise<unknown>;
  /** starts again when it ended by itself, as a supervisor of production would */
  readonly supervised?: boolean;
  /** what to say when it does not come up */
  readonly lastWords?: () => string;
  readonly onExit?: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/** A process of the shop starts only while all stores are up, and on a busy machine everything takes its time. */
const startMs = 180_000;
const betweenMs = 50;
const restartPauseMs = 500;

export function managedProgram({
  name,
  keeper,
  spawn,
  answers,
  supervised = false,
  lastWords,
  onExit,
}: ProgramOptions): ManagedProgram {
  let child: ChildProcess | undefined;
  /** nobody has asked for its end */
  let wanted = false;
  const freezes: { readonly since: number; until: number }[] = [];
  const endFreeze = () => {
    const last = freezes.at(-1);
    if (last?.until === Number.POSITIVE_INFINITY) last.until = performance.now();
  };

  const launch = () => {
    wanted = true;
    const started = spawn();
    child = started;
    keeper.keepChild(started);
    started.once('exit', (code, signal) => {
      onExit?.(code, signal);
      if (child === started) child = undefined;
      if (wanted && supervised) setTimeout(() => wanted && child === undefined && launch(), restartPauseMs);
    });
  };

  return {
    name,
    launch,
    async start() {
      const deadline = Date.now() + startMs;
      if (child === undefined) launch();
      for (;;) {
        try {
          return void (await answers());
        } catch (error) {
          if (Date.now() > deadline) throw new Error(`${name} does not come up: ${lastWords?.() ?? ''}`, { cause: error });
        }
        if (child === undefined && !supervised) launch();
        await pause(betweenMs);
      }
    },
    async kill(signal = 'SIGKILL') {
      wanted = false;
      const doomed = child;
      if (doomed === undefined) return [null, null];
      endFreeze();
      const exited = once(doomed, 'exit') as Promise<[number | null, NodeJS.Signals | null]>; // as Node documents the event
      doomed.kill(signal);
      return exited;
    },
    freeze: () => {
      endFreeze();
      freezes.push({ since: performance.now(), until: Number.POSITIVE_INFINITY });
      child?.kill('SIGSTOP');
    },
    thaw: () => {
      child?.kill('SIGCONT');
      endFreeze();
    },
    freezes: () => freezes,
    isRunning: () => child !== undefined,
    pid: () => child?.pid,
  };
}

/** Below the ports that the kernel gives to outgoing connections, so that nobody takes it while its program is down. */
const firstPort = 20_000;
const portCount = 12_000;

/** A port that stays ours when its program is killed. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * portCount);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

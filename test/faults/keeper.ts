import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What a run leaves on the machine, by name. */
export type Belonging = { readonly pid: number } | { readonly folder: string } | { readonly mount: string };

/** Tells a process that outlives the run what the run has started, so that nothing of it stays, however the run ends. */
export interface Keeper {
  /** from now on the child dies with the run */
  keepChild(child: ChildProcess): void;
  /** the same for a process that somebody else has started */
  keepProcess(pid: number): void;
  /** removed with the run */
  keepFolder(folder: string): void;
  /** unmounted with the run */
  keepMount(mount: string): void;
  /** Kills, unmounts and removes everything. */
  close(): Promise<void>;
}

export function startKeeper(): Keeper {
  const { PATH = '' } = process.env;
  const program = spawn(process.execPath, [join(import.meta.dirname, 'keeper-program.ts')], {
    // a group of its own: Ctrl-C on the terminal must not reach it before the run has ended
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { PATH },
  });
  const tell = (line: object) => void program.stdin?.write(`${JSON.stringify(line)}\n`);
  program.stdin?.on('error', () => undefined);
  let closed = false;
  return {
    keepChild: (child) => {
      const { pid } = child;
      if (pid === undefined) return;
      // somebody was still starting it
      if (closed) return void child.kill('SIGKILL');
      tell({ pid });
      child.once('exit', () => tell({ gone: pid }));
    },
    keepProcess: (pid) => tell({ pid }),
    keepFolder: (folder) => tell({ folder }),
    keepMount: (mount) => tell({ mount }),
    close: async () => {
      closed = true;
      const ended = once(program, 'exit');
      program.stdin?.end();
      await ended;
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** what it wrote for the person at the terminal so far */
  greeting(): string;
  /** Goes away as the reader of everything that it writes. */
  stopReading(): void;
  send(signal: NodeJS.Signals): void;
  /** Sends a signal and waits for the end. Answers the exit code. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** everything runs from the root of the repository */
const sources = join('src', 'server.ts');
const defaultLongestRunMs = 120_000;

interface ServerOptions {
  /** the program; absent: the sources */
  readonly entry?: string;
  /** the file that its log goes to */
  readonly logFile?: string;
  /** it is killed then */
  readonly longestRunMs?: number;
}

/** Runs the server as a process of its own, with nothing of this one's environment but the path. */
function spawnServer(
  env: Readonly<Record<string, string>>,
  { entry = sources, logFile, longestRunMs = defaultLongestRunMs }: ServerOptions = {},
): ChildProcess {
  const { PATH = '' } = process.env;
  const log = logFile === undefined ? undefined : openSync(logFile, 'a');
  const child = spawn(process.execPath, [entry], {
    env: { PATH, PORT: '0', BCRYPT_COST: '4', ...env },
    stdio: ['ignore', log ?? 'pipe', 'pipe'],
    timeout: longestRunMs,
    killSignal: 'SIGKILL',
  });
  if (log !== undefined) closeSync(log);
  return child;
}

/** Waits until it listens. @throws with what it said when it ended instead */
export async function startServer(env: Readonly<Record<string, string>>, options?: ServerOptions): Promise<ServerProcess> {
  const child = spawnServer(env, options);
  const exited = once(child, 'exit');
  let greeting = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      greeting += chunk.toString();
      const address = /http:\/\/localhost:\d+(?=\n)/.exec(greeting)?.[0];
      if (address !== undefined) resolve(address);
    });
    child.stdout?.resume();
    void exited.then(() => reject(new Error(`The server ended: ${greeting}`)));
  });
  return {
    url,
    // it has said that it listens
    pid: child.pid ?? 0,
    greeting: () => greeting,
    stopReading: () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    send: (signal) => void child.kill(signal),
    kill: async (signal) => {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Runs a start that is refused. Answers the exit code and what it said. */
export async function refusedStart(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = spawnServer(env);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdout?.resume();
  const [code] = await once(child, 'close');
  return { code, said };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';
import type { Haproxy } from './haproxy.ts';

/** One process of the built shop on a port of its own. */
export interface Task {
  readonly port: number;
  /** what it logged as an error */
  readonly errors: readonly string[];
  /** Sends a signal and waits for the end. Answers the exit code, null when the signal killed it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Tasks behind a balancer. */
export interface Fleet {
  /** those that have not been told to end, oldest first */
  readonly tasks: readonly Task[];
  /** Starts a task and waits until the balancer sends it requests. */
  add(): Promise<Task>;
  /** Tells the oldest task to end and waits until it did. Answers the exit code. */
  remove(): Promise<number | null>;
  /** Kills the oldest task. Resolves when the process is gone, which the balancer has to find out by itself. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const patienceMs = 60_000;
const maxStarts = 3;

export interface TaskOptions {
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** what `/readyz` has to answer before it counts as started */
  readonly readiness?: 200 | 503;
}

/** Starts a process and waits until it is ready. @throws with its last words when it ends instead */
export async function startTask({ entry, env, port, readiness = 200 }: TaskOptions): Promise<Task> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [entry], {
    env: { PATH, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const errors = errorsOf(child);
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-2000);
  });
  await eventually(async () => {
    if (child.exitCode !== null) return;
    const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
    if (status !== readiness) throw new Error(`/readyz answers ${status}`);
  }, patienceMs).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (child.exitCode !== null) throw new Error(`The task ended with ${child.exitCode}: ${lastWords}`);
  return {
    port,
    errors,
    end: async (signal) => {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Like what runs tasks in production: one that can't start, because a store was busy for too long, is followed by another. */
async function startPatiently(options: TaskOptions): Promise<Task> {
  for (let left = maxStarts - 1; ; left--) {
    try {
      return await startTask(options);
    } catch (error) {
      if (left === 0) throw error;
      process.stderr.write(`A task could not start: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

export function createFleet({
  entry,
  env,
  balancer,
}: {
  entry: string;
  env: Readonly<Record<string, string>>;
  balancer: Haproxy;
}): Fleet {
  const tasks: Task[] = [];
  const occupied = new Set<number>();
  const oldest = () => {
    const task = tasks.shift();
    if (task === undefined) throw new Error('There is no task.');
    return task;
  };
  /** The balancer has to find nothing there before the next task may listen there. */
  const released = async ({ port }: Task) => {
    await eventually(async () => {
      if ((await balancer.inService()).includes(port)) throw new Error('The balancer still has the task.');
    }, patienceMs);
    occupied.delete(port);
  };
  return {
    tasks,
    add: async () => {
      const port = balancer.ports.find((each) => !occupied.has(each));
      if (port === undefined) throw new Error('The balancer knows no more ports.');
      occupied.add(port);
      const task = await startPatiently({ entry, env, port });
      tasks.push(task);
      await eventually(async () => {
        if (!(await balancer.inService()).includes(port)) throw new Error('The balancer did not take the task in.');
      }, patienceMs);
      return task;
    },
    remove: async () => {
      const task = oldest();
      const code = await task.end('SIGTERM');
      await released(task);
      return code;
    },
    kill: async () => {
      const task = oldest();
      await task.end('SIGKILL');
      void released(task).catch(() => {});
    },
    stop: async () => {
      await Promise.all(tasks.splice(0).map((task) => task.end('SIGKILL')));
    },
  };
}

/** Lines of the log from level `error` on. Reading them also keeps the pipe empty. */
function errorsOf(child: ChildProcess): readonly string[] {
  const errors: string[] = [];
  if (child.stdout === null) throw new Error('a task without output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/"level":"(error|fatal)"/.test(line)) errors.push(line);
  });
  return errors;
}

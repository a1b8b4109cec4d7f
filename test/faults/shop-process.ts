import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Keeper } from './keeper.ts';
import { lastingPort, type ManagedProgram, managedProgram } from './managed-program.ts';

/** What one life of a process wrote. */
export interface Life {
  readonly log: string;
  readonly stderr: string;
  /** it was ended by a signal that it could not hear: its last line may be cut off */
  readonly killed: boolean;
  /** it wrote its log where nobody can read it */
  readonly logLost?: boolean;
}

/** A moment in the lives of a process. */
export interface Mark {
  /** of the life that goes on at that moment, or else the next */
  readonly index: number;
  /** the length of what it had logged */
  readonly logged: number;
}

export interface ShopProcess extends ManagedProgram {
  readonly port: number;
  readonly url: string;
  /** now */
  mark(): Mark;
  /** every life so far, the present one included; with a mark, those since then, without what was logged before */
  lives(since?: Mark): readonly Life[];
  /** further variables for the lives to come */
  setEnv(variables: Readonly<Record<string, string>>): void;
  /** another program for the lives to come; undefined: the usual one */
  runProgram(file: string | undefined): void;
  /** where the lives to come write their log; undefined: into a file of their own */
  writeLogTo(file: string | undefined): void;
  /** how often it has ended, and how the last time */
  ends(): { readonly count: number; readonly code: number | null; readonly signal: NodeJS.Signals | null };
}

export interface ShopProcessOptions {
  readonly name: string;
  readonly keeper: Keeper;
  readonly folder: string;
  readonly program: string;
  /** options of Node itself, default none */
  readonly nodeArgs?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '..', '..');

/** Supervised as in production: one that ends by itself is started again. */
export async function createShopProcess(options: ShopProcessOptions): Promise<ShopProcess> {
  const { name, keeper, folder, program, nodeArgs = [], env } = options;
  const label = name.replaceAll(' ', '-');
  const port = await lastingPort();
  const url = `http://127.0.0.1:${port}`;
  const lives: { readonly file: string; readonly logLost: boolean; killed: boolean }[] = [];
  const ends: { count: number; code: number | null; signal: NodeJS.Signals | null } = { count: 0, code: null, signal: null };
  let other: string | undefined;
  let logFile: string | undefined;
  let further: Readonly<Record<string, string>> = {};
  const { PATH = '' } = process.env;
  const managed = managedProgram({
    name,
    keeper,
    supervised: true,
    spawn: () => {
      const file = join(folder, `${label}-${lives.length + 1}`);
      lives.push({ file, logLost: logFile !== undefined, killed: false });
      const [out, err] = [openSync(logFile ?? `${file}.log`, 'a'), openSync(`${file}.err`, 'a')];
      const child = spawn(process.execPath, [...nodeArgs, join(root, other ?? program)], {
        env: { PATH, DATA_DIR: join(folder, `data-${label}`), PORT: String(port), HOST: '127.0.0.1', ...env, ...further },
        stdio: ['ignore', out, err],
      });
      for (const descriptor of [out, err]) closeSync(descriptor);
      return child;
    },
    answers: () => ready(url),
    lastWords: () => {
      const life = lives.at(-1);
      return life === undefined ? '' : readFileSync(`${life.file}.err`, 'utf8') + textOf(`${life.file}.log`).slice(-1000);
    },
    onExit: (code, signal) => {
      ends.count += 1;
      Object.assign(ends, { code, signal });
      const life = lives.at(-1);
      if (life !== undefined) life.killed = signal !== null;
    },
  });
  return {
    ...managed,
    port,
    url,
    mark: () => {
      const index = managed.isRunning() ? lives.length - 1 : lives.length;
      const life = lives[index];
      // whole lines: the next may be half written
      return { index, logged: life === undefined ? 0 : textOf(`${life.file}.log`).lastIndexOf('\n') + 1 };
    },
    lives: ({ index: first, logged } = { index: 0, logged: 0 }) =>
      lives.slice(first).map(({ file, logLost, killed }, index) => ({
        log: textOf(`${file}.log`).slice(index === 0 ? logged : 0),
        stderr: readFileSync(`${file}.err`, 'utf8'),
        logLost,
        killed,
      })),
    runProgram: (file) => {
      other = file;
    },
    writeLogTo: (file) => {
      logFile = file;
    },
    setEnv: (variables) => {
      further = variables;
    },
    ends: () => ends,
  };
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function ready(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = get(`${url}/readyz`, { timeout: 2000, agent: false }, (answer) => {
      answer.resume();
      if (answer.statusCode === 200) resolve();
      else reject(new Error(`readyz answers ${answer.statusCode}`));
    });
    asking.on('timeout', () => asking.destroy(new Error('readyz is silent'))).on('error', reject);
  });
}

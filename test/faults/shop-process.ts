import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Keeper } from './keeper.ts';
import { lastingPort, type ManagedProgram, managedProgram } from './managed-program.ts';
import type { Proxies } from './store-proxy.ts';

/** What one life of a process wrote. */
export interface Life {
  readonly log: string;
  readonly stderr: string;
  /** it was ended by a signal that it could not hear: its last line may be cut off */
  readonly killed: boolean;
}

export interface ShopProcess extends ManagedProgram {
  readonly port: number;
  readonly url: string;
  readonly proxies: Proxies;
  /** every life so far, the present one included */
  lives(): readonly Life[];
  /** further variables for the lives to come */
  setEnv(variables: Readonly<Record<string, string>>): void;
  /** how often it has ended, and the last signal that ended it */
  ends(): { readonly count: number; readonly signal: NodeJS.Signals | null };
}

export interface ShopProcessOptions {
  readonly number: number;
  readonly keeper: Keeper;
  readonly folder: string;
  readonly program: string;
  readonly proxies: Proxies;
  readonly env: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '..', '..');

/** Supervised as in production: one that ends by itself is started again. */
export async function createShopProcess(options: ShopProcessOptions): Promise<ShopProcess> {
  const { number, keeper, folder, program, proxies, env } = options;
  const port = await lastingPort();
  const url = `http://127.0.0.1:${port}`;
  const lives: { readonly file: string; killed: boolean }[] = [];
  const ends: { count: number; signal: NodeJS.Signals | null } = { count: 0, signal: null };
  let further: Readonly<Record<string, string>> = {};
  const { PATH = '' } = process.env;
  const managed = managedProgram({
    name: `shop ${number}`,
    keeper,
    supervised: true,
    spawn: () => {
      const file = join(folder, `shop-${number}-${lives.length + 1}`);
      lives.push({ file, killed: false });
      const [out, err] = [openSync(`${file}.log`, 'a'), openSync(`${file}.err`, 'a')];
      const child = spawn(process.execPath, [join(root, program)], {
        env: { PATH, DATA_DIR: join(folder, `data-${number}`), PORT: String(port), HOST: '127.0.0.1', ...env, ...further },
        stdio: ['ignore', out, err],
      });
      for (const descriptor of [out, err]) closeSync(descriptor);
      return child;
    },
    answers: () => ready(url),
    lastWords: () => {
      const life = lives.at(-1);
      return life === undefined
        ? ''
        : readFileSync(`${life.file}.err`, 'utf8') + readFileSync(`${life.file}.log`, 'utf8').slice(-1000);
    },
    onExit: (_code, signal) => {
      ends.count += 1;
      ends.signal = signal;
      const life = lives.at(-1);
      if (life !== undefined) life.killed = signal !== null;
    },
  });
  return {
    ...managed,
    port,
    url,
    proxies,
    lives: () =>
      lives.map(({ file, killed }) => ({
        log: readFileSync(`${file}.log`, 'utf8'),
        stderr: readFileSync(`${file}.err`, 'utf8'),
        killed,
      })),
    setEnv: (variables) => {
      further = variables;
    },
    ends: () => ends,
  };
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

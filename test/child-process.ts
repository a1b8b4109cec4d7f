import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** No test leaves a process behind that would keep the run from ending. */
const limits = { timeout: 30_000, killSignal: 'SIGKILL' } as const;

export interface Child {
  /** the next line of its standard output, `undefined` after the last */
  line(): Promise<string | undefined>;
  /** all that is left of its standard output and error, once it has ended */
  rest(): Promise<{ readonly lines: readonly string[]; readonly errors: string }>;
  kill(): Promise<void>;
}

/** Another process of ours that runs a small program; `shared('x.ts')` in it imports from src/shared. */
export function runChild(program: string, { limitFileSizeBlocks }: { readonly limitFileSizeBlocks?: number } = {}): Child {
  const preamble = `const shared = (file) => import(${JSON.stringify(`file://${process.cwd()}/src/shared/`)} + file);\n`;
  const args = ['--input-type=module', '-e', preamble + program];
  const child =
    limitFileSizeBlocks === undefined
      ? spawn(process.execPath, args, limits)
      : spawn('sh', ['-c', `ulimit -f ${limitFileSizeBlocks}; exec "$0" "$@"`, process.execPath, ...args], limits);
  return watched(child);
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'shop-')));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function watched(child: ChildProcess): Child {
  if (!child.stdout || !child.stderr) throw new Error('a child without output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(child, 'close');
  const line = async () => {
    const next = await lines.next();
    return next.done ? undefined : next.value;
  };
  return {
    line,
    async rest() {
      const left: string[] = [];
      for (let next = await line(); next !== undefined; next = await line()) left.push(next);
      await ended;
      return { lines: left, errors };
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  /** undefined: it was killed, or could not be started */
  readonly code: number | undefined;
  /** Its time was over and it was stopped for that; whoever else killed it, this is false. */
  readonly timedOut: boolean;
  /** all that it wrote, errors too */
  readonly output: string;
}

/** Runs a program, at most for so many seconds. One that can't be started is told in its output, not thrown. */
export async function runProgram(program: string, words: readonly string[], seconds: number): Promise<Ended> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = child.kill('SIGTERM');
  }, seconds * 1000);
  try {
    const [code] = await once(child, 'close');
    return { code: code ?? undefined, timedOut, output };
  } catch (error) {
    return { code: undefined, timedOut, output: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

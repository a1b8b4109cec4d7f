import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What can be said of compose.yaml without an engine that starts it. */

const root = join(import.meta.dirname, '..', '..');

/** A story that needs a program: it is left out where that is missing, unless the services are required. */
export function itWith(program: string, argument: string): jest.It {
  if (process.env.REQUIRE_SERVICES === 'true' || spawnSync(program, [argument]).status === 0) return it;
  process.stderr.write(`Left out, because ${program} is not installed: parts of ${expect.getState().testPath}\n`);
  return it.skip;
}

/** Each service as Compose understands it, a piece of YAML. */
export function resolved(...words: readonly string[]): ReadonlyMap<string, string> {
  const { status, stdout, stderr } = spawnSync('docker-compose', [...words, 'config'], { cwd: root, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [, services = ''] = /^services:\n((?: .*\n)+)/m.exec(stdout) ?? [];
  return new Map([...services.matchAll(/^ {2}(\S+):\n((?: {4}.*\n)+)/gm)].map(([, name = '', text = '']) => [name, text]));
}

/** The variables that a service is given. */
export function environmentOf(service: string): Record<string, string> {
  const [, lines = ''] = /^ {4}environment:\n((?: {6}.*\n)+)/m.exec(service) ?? [];
  return Object.fromEntries([...lines.matchAll(/^ {6}(\w+): '?(.*?)'?$/gm)].map(([, name = '', value = '']) => [name, value]));
}

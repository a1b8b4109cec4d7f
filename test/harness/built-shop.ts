import { execFile } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/**
 * Builds the shop into a folder of its own, beside whatever else of the repository is named. Answers the program of the server.
 * Types are not checked: `npm run check` does that once for all.
 */
export async function buildShop(folder: string, besides: readonly string[] = []): Promise<string> {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['package.json', ...besides]) cpSync(join(root, name), join(folder, name), { recursive: true });
  const project = join(root, 'tsconfig.build.json');
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', project, '--noCheck', '--outDir', join(folder, 'dist')]);
  return join(folder, 'dist/src/server.js');
}

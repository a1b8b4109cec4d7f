import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Builds what is measured. @throws when that fails */
export function buildForBench(): void {
  const { status } = spawnSync('npm', ['run', '-s', 'build'], { cwd: join(import.meta.dirname, '..'), stdio: 'inherit' });
  if (status !== 0) throw new Error('The build failed.');
}

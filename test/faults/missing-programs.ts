import { spawnSync } from 'node:child_process';
import { missingPrograms } from '../harness/services.ts';

/** One line for each program that a cluster needs and this machine does not have. */
export function missingForFaults(): readonly string[] {
  const missing = [...missingPrograms()];
  if (spawnSync('redis-server', ['--version']).status !== 0)
    missing.push({ program: 'redis-server', debianPackage: 'redis-server' });
  return missing.map(({ program, debianPackage }) => `${program} is missing (apt-get install ${debianPackage})`);
}

// Checks that what is installed is what was meant (.ci/lockfile-rules.ts), with the versions that .ci/minimum-versions.json asks for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockfileFaults, manifestFaults, versionFaults } from './lockfile-rules.ts';

const root = join(import.meta.dirname, '..');
const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));

const lockfile = read('package-lock.json');
const faults = [
  ...lockfileFaults(lockfile),
  ...manifestFaults(read('package.json')),
  ...versionFaults(lockfile, read('.ci/minimum-versions.json')),
];
for (const fault of faults) console.error(fault);
console.log(`lockfile: ${Object.keys(lockfile.packages).length - 1} packages, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

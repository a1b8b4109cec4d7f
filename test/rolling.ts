import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** `npm run test:rolling [-- --replacements N] [--rate N]`: the suite of rolling replacements, as long and as loaded as is said. */
const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { replacements: { type: 'string', default: '100' }, rate: { type: 'string', default: '40' } },
});
for (const [name, value] of Object.entries(values))
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new Error(`--${name} has to be a number from 1 to 9999, not ${value}`);

const suite = ['test/rolling-replacement.test.ts', '--selectProjects', 'services'];
const child = spawn(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), ...suite], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    REQUIRE_SERVICES: 'true',
    ROLLING_REPLACEMENTS: values.replacements,
    ROLLING_RATE: values.rate,
  },
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

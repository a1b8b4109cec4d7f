// `npm run test:security [-- --tools | --only-tools] [--sqlmap-seconds 60]`: the suites that attack the shop, on embedded storage and on
// two processes over servers where those are installed, with 5,000 generated requests for each process; then what was checked, by
// process. With --tools also, with --only-tools nothing but, what others wrote to attack servers (.ci/security-tools.ts), sqlmap for so
// long on each operation, with 0 not at all. Exit code 0: all as expected.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTools } from './security-tools.ts';

const suites = [
  ...['access-matrix', 'access-tokens', 'attacks-access', 'attacks-http', 'attacks-input', 'attacks-limits', 'attacks-logs'],
  ...['attacks-orders', 'attacks-passwords', 'attacks-sessions', 'attacks-tokens', 'attack-list', 'equal-times', 'erasure'],
  ...['generated-requests', 'hardened-process', 'key-rotation', 'logging', 'login-failures', 'password-hash', 'rate-limits'],
  ...[
    'request-bodies',
    'revocations',
    'security-log',
    'sessions',
    'shared-limits',
    'shared-sign-in',
    'supply-chain',
    'wrong-certificates',
  ],
];
const generatedPerProcess = '5000';

const { values } = parseArgs({
  options: {
    tools: { type: 'boolean', default: false },
    'only-tools': { type: 'boolean', default: false },
    'sqlmap-seconds': { type: 'string', default: '60' },
  },
});
const sqlmapSeconds = Number(values['sqlmap-seconds']);
if (!(sqlmapSeconds >= 0)) throw new Error('--sqlmap-seconds has to be a number.');

const suitesHold = values['only-tools'] || runSuites();
const toolsHold = !(values.tools || values['only-tools']) || (await runTools({ sqlmapSeconds, slowSeconds: 25 }));
process.exitCode = suitesHold && toolsHold ? 0 : 1;

function runSuites(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'security-'));
  const counts = join(folder, 'counts');
  writeFileSync(counts, '');
  const pattern = `test/(${suites.join('|')})\\.test\\.ts$`;
  const { status } = spawnSync('node_modules/.bin/jest', ['--testPathPatterns', pattern], {
    stdio: 'inherit',
    env: { GENERATED_REQUESTS: generatedPerProcess, ...process.env, SECURITY_COUNTS: counts },
  });
  report(readFileSync(counts, 'utf8'));
  rmSync(folder, { recursive: true });
  return status === 0;
}

function report(lines: string): void {
  const totals = new Map<string, Record<string, number>>();
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    const { what, where, times } = JSON.parse(line);
    const row = totals.get(where) ?? {};
    totals.set(where, { ...row, [what]: (row[what] ?? 0) + times });
  }
  console.log('\nChecked, by process:');
  for (const [where, row] of [...totals].toSorted())
    console.log(
      `  ${where}: ${Object.entries(row)
        .toSorted()
        .map(([what, times]) => `${times} ${what}`)
        .join(', ')}`,
    );
}

import { parseArgs } from 'node:util';
import { replay } from '../../src/commands/replay-run.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startKillingSpree } from './killing-spree.ts';
import { missingForFaults } from './missing-programs.ts';
import { untilQuiet } from './quiescence.ts';
import { createRandom } from './random.ts';
import { settledAudit } from './settled-audit.ts';

const usage = `npm run test:replay -- FILE.csv.gz [--every 5] [--seed 1] [--processes 3]

Starts processes of the shop on MariaDB, Redis, DynamoDB Local and a stand-in for SQS, all on free ports of this machine and in a
temporary folder, and runs the replay of an Online Retail file against them. Until the replay has ended one process or store
is killed (SIGKILL) every few seconds and started again; then the audit has to find nothing. Takes two to four minutes.

Exit codes: 0 every order, penny and piece is there, 1 something is not, 2 usage, or a program is missing.`;

async function main(): Promise<number> {
  const options = readArguments();
  const missing = missingForFaults();
  if (options === undefined || missing.length > 0) {
    process.stderr.write(`${options === undefined ? usage : missing.join('\n')}\n`);
    return 2;
  }
  const cluster = await startCluster({ processes: options.processes, program: 'src/server.ts' });
  try {
    return await underFire(cluster, options);
  } finally {
    await cluster.close();
  }
}

async function underFire(cluster: Cluster, { path, everyMs, seed }: Options): Promise<number> {
  const spree = startKillingSpree({
    programs: [...cluster.shops, ...Object.values(cluster.stores)],
    everyMs,
    random: createRandom(seed),
    onKill: (name) => process.stderr.write(`killed: ${name}\n`),
  });
  const { url, admin } = cluster;
  const exitCode = await replay({
    ...{ path, url: new URL(url), concurrency: 16, admin },
    ...{ output: process.stdout, settleMs: settlePatienceMs },
  }).finally(() => spree.end());
  const backlog = await untilQuiet(cluster, quietPatienceMs);
  const found = await settledAudit(cluster);
  const findings = found.map(({ invariant, subject, detail }) => `${invariant}  ${subject}: ${detail}`);
  const kills = Object.entries(spree.kills()).map(([name, count]) => `${name} ${count}`);
  const lines = [
    `seed ${seed}, killed  ${kills.join(', ')}`,
    `left over         ${backlog.events} events, ${backlog.held} held reservations`,
    ...(findings.length === 0 ? ['audit             clean'] : findings),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCode === 0 && findings.length === 0 && backlog.events + backlog.held === 0 ? 0 : 1;
}

/** The sweep leaves a reservation alone for a minute, and may be killed while it works. */
const settlePatienceMs = 240_000;
const quietPatienceMs = 120_000;

interface Options {
  readonly path: string;
  readonly everyMs: number;
  readonly seed: number;
  readonly processes: number;
}

function readArguments(): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        every: { type: 'string', default: '5' },
        seed: { type: 'string', default: '1' },
        processes: { type: 'string', default: '3' },
      },
    });
    const [path, ...others] = positionals;
    const numbers = [values.every, values.seed, values.processes].map(Number);
    const [every = 0, seed = 0, processes = 0] = numbers;
    if (path === undefined || others.length > 0 || !numbers.every((value) => value > 0)) return undefined;
    return { path, everyMs: every * 1000, seed, processes };
  } catch {
    return undefined;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);

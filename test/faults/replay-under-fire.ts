import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from './cluster.ts';
import type { ManagedProgram } from './managed-program.ts';
import { missingForFaults } from './missing-programs.ts';
import { replayUnderFire } from './replay-run-under-fire.ts';

const usage = `npm run test:replay -- FILE.csv.gz [--every 5] [--seed 1] [--processes 3] [--services] [--kill NAMES]

Starts processes of the shop on MariaDB, Redis, DynamoDB Local and a stand-in for SQS, all on free ports of this machine and in a
temporary folder, and runs the replay of an Online Retail file against them. Until the replay has ended one process or store
is killed (SIGKILL) every few seconds and started again; then the audit has to find nothing. Takes two to four minutes.

  --every S      seconds from one kill to the next
  --seed N       decides who is killed and how long it stays down, two seconds at the most
  --processes P  of the shop, all alike
  --services     auth, catalog and orders as services behind a balancer that routes by path, in the place of such processes
  --kill NAMES   of mariadb, redis, dynamodb, sqs, and of auth, catalog, orders, or 'shop 1' and so on; 'none'; all when absent

Exit codes: 0 every order, penny and piece is there, 1 something is not, 2 usage, or a program is missing.`;

async function main(): Promise<number> {
  const options = readArguments();
  const missing = missingForFaults();
  if (options === undefined || missing.length > 0) {
    process.stderr.write(`${options === undefined ? usage : missing.join('\n')}\n`);
    return 2;
  }
  const { processes, services } = options;
  const cluster = await startCluster({ processes, services, program: 'src/server.ts' });
  try {
    const victims = victimsOf(cluster, options.kill);
    if (victims !== undefined) return await underFire(cluster, victims, options);
    process.stderr.write(`${usage}\n`);
    return 2;
  } finally {
    await cluster.close();
  }
}

/** Undefined when nobody has one of the names. */
function victimsOf({ shops, stores }: Cluster, names: readonly string[] | undefined): readonly ManagedProgram[] | undefined {
  const programs: readonly ManagedProgram[] = [...shops, ...Object.values(stores)];
  const victims = programs.filter(({ name }) => names === undefined || names.includes(name));
  return names === undefined || names.length === victims.length ? victims : undefined;
}

async function underFire(cluster: Cluster, victims: readonly ManagedProgram[], options: Options): Promise<number> {
  const { path, everyMs, seed } = options;
  const onKill = (name: string) => void process.stderr.write(`killed: ${name}\n`);
  const { stdout: output } = process;
  const { exitCode, kills, backlog, findings } = await replayUnderFire({ cluster, victims, path, everyMs, seed, output, onKill });
  const killed = Object.entries(kills).map(([name, count]) => `${name} ${count}`);
  const lines = [
    `seed ${seed}, killed  ${killed.join(', ') || 'nobody'}`,
    `left over         ${backlog.events} events, ${backlog.held} held reservations`,
    ...(findings.length === 0 ? ['audit             clean'] : findings),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCode === 0 && findings.length === 0 && backlog.events + backlog.held === 0 ? 0 : 1;
}

interface Options {
  readonly path: string;
  readonly everyMs: number;
  readonly seed: number;
  readonly processes: number;
  readonly services: boolean;
  /** names; absent: all */
  readonly kill?: readonly string[];
}

function readArguments(): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        every: { type: 'string', default: '5' },
        seed: { type: 'string', default: '1' },
        processes: { type: 'string', default: '3' },
        services: { type: 'boolean', default: false },
        kill: { type: 'string' },
      },
    });
    const [path, ...others] = positionals;
    const numbers = [values.every, values.seed, values.processes].map(Number);
    const [every = 0, seed = 0, processes = 0] = numbers;
    if (path === undefined || others.length > 0 || !numbers.every((value) => value > 0)) return undefined;
    const kill = values.kill === 'none' ? [] : values.kill?.split(',');
    return { path, everyMs: every * 1000, seed, processes, services: values.services, ...(kill !== undefined && { kill }) };
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

import type { Terminal } from '../../src/commands/replay-progress.ts';
import { replay } from '../../src/commands/replay-run.ts';
import type { Cluster } from './cluster.ts';
import { startKillingSpree } from './killing-spree.ts';
import type { ManagedProgram } from './managed-program.ts';
import { type Backlog, untilQuiet } from './quiescence.ts';
import { createRandom } from './random.ts';
import { settledAudit } from './settled-audit.ts';

export interface ReplayUnderFire {
  /** of the replay: 0 when the shop agrees with the file */
  readonly exitCode: number;
  readonly kills: Readonly<Record<string, number>>;
  readonly backlog: Backlog;
  /** of the audit, a line each */
  readonly findings: readonly string[];
}

/** Replays a file into a cluster while victims are killed and started again, one every `everyMs`, and audits it when all is quiet. */
export async function replayUnderFire({
  cluster,
  victims,
  path,
  everyMs,
  seed,
  concurrency = 16,
  output,
  onKill = () => undefined,
}: {
  readonly cluster: Cluster;
  /** none: nobody is killed */
  readonly victims: readonly ManagedProgram[];
  readonly path: string;
  readonly everyMs: number;
  readonly seed: number;
  readonly concurrency?: number;
  /** where the replay writes what it has seen */
  readonly output: Terminal;
  readonly onKill?: (name: string) => void;
}): Promise<ReplayUnderFire> {
  const random = createRandom(seed);
  const spree = victims.length === 0 ? undefined : startKillingSpree({ programs: victims, everyMs, random, onKill });
  const { admin } = cluster;
  const url = new URL(cluster.url);
  const exitCode = await replay({ path, url, concurrency, admin, output, settleMs: settlePatienceMs }).finally(() =>
    spree?.end(),
  );
  const backlog = await untilQuiet(cluster, quietPatienceMs);
  const findings = (await settledAudit(cluster)).map(({ invariant, subject, detail }) => `${invariant}  ${subject}: ${detail}`);
  return { exitCode, kills: spree?.kills() ?? {}, backlog, findings };
}

/** The sweep leaves a reservation alone for a minute, and may be killed while it works. */
const settlePatienceMs = 240_000;
const quietPatienceMs = 120_000;

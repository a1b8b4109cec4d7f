import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { auditCatalog } from '../../src/modules/catalog/index.ts';
import { createAuditRun } from '../../src/shared/audit-run.ts';
import type { Finding } from '../../src/shared/finding.ts';
import { tokensOf } from './actors.ts';
import { violationsOf } from './checkers.ts';
import type { Cluster } from './cluster.ts';
import type { Evidence, LimitProbe } from './evidence.ts';
import { heal } from './heal.ts';
import { type Load, startLoad } from './load.ts';
import { observe, replayTokens } from './observe.ts';
import { guessPassword, livenessOf, untilEverythingWorks, watchRevocation } from './probes.ts';
import { untilQuiet } from './quiescence.ts';
import type { Random } from './random.ts';
import { settledAudit } from './settled-audit.ts';

/** What a fault has to work on. */
export interface Scene {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly random: Random;
  /** a duration of the catalogue, scaled */
  ms(fullMs: number): number;
  /** says what is broken beside the invariants */
  complain(what: string): void;
}

export type Inject = (scene: Scene) => Promise<void>;

export interface FaultResult {
  readonly id: string;
  readonly seed: number;
  readonly operations: number;
  readonly unknowns: number;
  /** the longest of them; undefined: one never ended */
  readonly recoveryMs: number | undefined;
  /** what the same took before the fault */
  readonly baselineMs: number;
  /** lines by invariant; empty: all hold */
  readonly broken: ReadonlyMap<string, readonly string[]>;
}

export interface RunOptions {
  readonly id: string;
  /** by name; one after the other under the same load */
  readonly injections: Readonly<Record<string, Inject>>;
  readonly seed: number;
  readonly random: Random;
  readonly scale: number;
  /** watches a revocation and replays tokens too, which takes some seconds more */
  readonly thorough: boolean;
}

const warmUpMs = 1000;
const afterMs = 1000;
const recoveryPatienceMs = 30_000;
const insistPatienceMs = 20_000;
const quietPatienceMs = 30_000;

/** Load, the faults, healing after each, and then a look at everything that was promised. */
export async function runFault(
  cluster: Cluster,
  { id, injections, seed, random, scale, thorough }: RunOptions,
): Promise<FaultResult> {
  const marks = cluster.shops.map((shop) => shop.mark());
  const name = `${id.toLowerCase()}-${seed}-${random.below(1e6).toString(36)}`;
  const load = await startLoad(cluster, { random: random.fork('load'), name });
  const canaries = new Set<string>();
  const prober = { cluster, random, keep: (canary: string) => void canaries.add(canary) };
  const complaints: string[] = [];
  const watch = watchUnderLoad(cluster);
  await pause(warmUpMs * scale);
  const before = openDescriptors(cluster);
  const baselineMs = (await untilEverythingWorks(prober, load.spareProductId, recoveryPatienceMs)) ?? recoveryPatienceMs;
  const limits: LimitProbe[] = [];
  const recoveries: (number | undefined)[] = [];
  for (const [variant, inject] of Object.entries(injections)) {
    const complain = (what: string) => void complaints.push(`${variant}: ${what}`);
    try {
      const injected = inject({ cluster, load, random, ms: (fullMs) => fullMs * scale, complain });
      if (limits.length === 0) limits.push(await guessPassword(prober));
      await injected;
    } finally {
      await heal(cluster);
    }
    recoveries.push(await untilEverythingWorks(prober, load.spareProductId, recoveryPatienceMs));
  }
  const watched = thorough ? watchRevocation(prober) : [];
  await pause(afterMs * scale);
  await load.stop(insistPatienceMs);
  const backlog = await untilQuiet(cluster, quietPatienceMs);
  const revocations = await watched;
  const recovered = recoveries.filter((ms) => ms !== undefined);
  const recoveryMs = recovered.length === recoveries.length ? Math.max(...recovered) : undefined;
  const evidence: Evidence = {
    ...(await watch.end()),
    ...(await observe(cluster, load)),
    ...(recoveryMs !== undefined && { recoveryMs }),
    ...{ baselineMs, backlog, revocations, limits, operations: load.history.operations, products: load.products },
    findings: await settledAudit(cluster),
    doubledEffects: await doubledEffects(cluster),
    sessions: thorough ? await replayTokens(cluster, load) : [],
    lives: cluster.shops.flatMap((shop) => shop.lives()),
    ownLives: cluster.shops.flatMap((shop, index) => shop.lives(marks[index])),
    freezes: cluster.shops.flatMap((shop) => shop.freezes()),
    canaries: [...canaries, ...load.passwords, ...tokensIn(load)],
    descriptors: openDescriptors(cluster).map(({ process, count }, index) => ({
      process,
      before: before[index]?.count ?? 0,
      after: count,
    })),
  };
  return resultOf({ id, seed, evidence, complaints });
}

function resultOf({
  id,
  seed,
  evidence,
  complaints,
}: {
  id: string;
  seed: number;
  evidence: Evidence;
  complaints: readonly string[];
}): FaultResult {
  const broken = new Map(violationsOf(evidence));
  if (complaints.length > 0) broken.set('fault', complaints);
  const unknowns = evidence.operations.filter(({ outcome }) => outcome === 'unknown').length;
  const { operations, recoveryMs, baselineMs } = evidence;
  return { id, seed, operations: operations.length, unknowns, recoveryMs, baselineMs, broken };
}

/** Looks at the stock in one snapshot every second, and whether each process lives, while the load runs. */
function watchUnderLoad(cluster: Cluster) {
  const findingsUnderLoad: Finding[] = [];
  const livenessMs: number[] = [];
  const ending = new AbortController();
  const everySecond = async (look: () => Promise<void>) => {
    while (!ending.signal.aborted) {
      await look();
      await pause(1000, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  };
  // apart: a process that is silent for long must not keep anybody from looking at the stock
  const over = Promise.all([
    everySecond(() =>
      // the store may be what is down
      allOf(auditCatalog(cluster.db, createAuditRun())).then(
        (found) => void findingsUnderLoad.push(...found),
        () => undefined,
      ),
    ),
    ...cluster.shops.map((shop) =>
      everySecond(async () => {
        const ms = await livenessOf(shop);
        if (ms !== undefined) livenessMs.push(ms);
      }),
    ),
  ]);
  return {
    async end() {
      ending.abort();
      await over;
      return { findingsUnderLoad, livenessMs };
    },
  };
}

async function doubledEffects({ db }: Cluster): Promise<readonly string[]> {
  const rows = await db.rows<{ reservation_id: string; kind: string; n: number }>(
    `SELECT reservation_id, product_id, kind, COUNT(*) AS n FROM catalog_stock_movements
     WHERE reservation_id IS NOT NULL GROUP BY reservation_id, product_id, kind HAVING COUNT(*) > 1 LIMIT 10`,
  );
  return rows.map(({ reservation_id, kind, n }) => `reservation ${reservation_id} has ${n} movements ${kind}`);
}

function tokensIn({ history }: Load): readonly string[] {
  return history.operations.flatMap(({ body }) => Object.values(tokensOf(body))).filter((token) => token !== '');
}

/** Where the system tells: on Linux. */
function openDescriptors({ shops }: Cluster): readonly { readonly process: string; readonly count: number }[] {
  return shops.map((shop) => {
    const folder = `/proc/${shop.pid()}/fd`;
    return { process: shop.name, count: existsSync(folder) ? readdirSync(folder).length : 0 };
  });
}

async function allOf<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

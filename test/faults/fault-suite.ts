import { type CatalogueRow, catalogue, shortFaults, shortInjections } from './catalogue.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { type FaultResult, runFault } from './fault-run.ts';
import { shortLinkInjections } from './link-catalogue.ts';
import { createRandom } from './random.ts';

/** The short faults, one after the other under the same load, on a cluster of their own. */
export async function runShortFaults({ seed, scale }: { readonly seed: number; readonly scale: number }): Promise<FaultResult> {
  const random = createRandom(seed);
  const cluster = await startCluster({ processes: 3, program: clusterProgram, env: clusterEnv });
  try {
    return await runFault(cluster, { id: 'short', injections: shortInjections(random), seed, random, scale, thorough: false });
  } finally {
    await cluster.close();
  }
}

/** Those of a service for each module, on a cluster that is started already. */
export function runShortLinkFaults(
  cluster: Cluster,
  { seed, scale }: { readonly seed: number; readonly scale: number },
): Promise<FaultResult> {
  const random = createRandom(seed);
  return runFault(cluster, { id: 'links', injections: shortLinkInjections(), seed, random, scale, thorough: false });
}

/** Three services under test, with the settings of `clusterEnv`. */
export function startServiceCluster(): Promise<Cluster> {
  return startCluster({ processes: 3, services: true, program: clusterProgram, env: clusterEnv });
}

/** The shop's settings under test: its own ways and secrets of production, with limits that the load does not reach. */
const clusterEnv = {
  FAULT_INTERVALS: JSON.stringify({ relay: 250, sweep: 1000, heldFor: 3000, rollup: 5000, erasure: 2000 }),
  DRAIN_DELAY_MS: '1500',
  RATE_LIMIT_BROWSING: '1000000/60',
  RATE_LIMIT_ORDERS: '1000000/60',
  RATE_LIMIT_STAFF: '1000000/60',
  RATE_LIMIT_LOGIN: '1000000/60',
  RATE_LIMIT_REGISTER: '1000000/60',
};

const clusterProgram = 'test/faults/shop-program.ts';
const smallDiskMegabytes = 220;

export interface SuiteOptions {
  readonly seed: number;
  readonly rounds: number;
  /** ids of rows; absent: all */
  readonly only?: readonly string[];
  /** only the short ones */
  readonly short: boolean;
  /** of the durations of the catalogue */
  readonly scale: number;
  readonly processes: number;
  readonly onResult: (result: FaultResult) => void;
}

/** A row that is run here. */
export type RunRow = Extract<CatalogueRow, { readonly runs: object }>;

export function selectedRows({ only, short }: Pick<SuiteOptions, 'only' | 'short'>): readonly RunRow[] {
  const wanted = only ?? (short ? shortFaults : catalogue.map(({ id }) => id));
  return catalogue.flatMap((row) => ('runs' in row && wanted.includes(row.id) ? [row] : []));
}

/** Runs the selected faults one after the other, round by round, each with a seed of its own. */
export async function runSuite(options: SuiteOptions): Promise<readonly FaultResult[]> {
  const rows = selectedRows(options);
  const results: FaultResult[] = [];
  const kinds = Map.groupBy(
    rows,
    ({ smallDisk, services }) => (smallDisk && 'small disk') || (services && 'services') || 'usual',
  );
  for (const [kind, some] of kinds) {
    const cluster = await startCluster({
      processes: options.processes,
      program: clusterProgram,
      env: clusterEnv,
      ...(kind === 'small disk' && { smallDiskMegabytes }),
      services: kind === 'services',
    });
    try {
      for (let round = 0; round < options.rounds; round++)
        for (const row of some) {
          const result = await runRow(cluster, row, { ...options, seed: options.seed + round });
          options.onResult(result);
          results.push(result);
        }
    } finally {
      await cluster.close();
    }
  }
  return results;
}

/** Where a fault can't even be run to its end, that is what is broken. */
async function runRow(
  cluster: Cluster,
  { id, runs }: RunRow,
  { seed, scale, short }: Pick<SuiteOptions, 'seed' | 'scale' | 'short'>,
): Promise<FaultResult> {
  const random = createRandom(seed).fork(id);
  try {
    return await runFault(cluster, { id, injections: runs, seed, random, scale, thorough: !short });
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { id, seed, operations: 0, unknowns: 0, recoveryMs: undefined, baselineMs: 0, broken: new Map([['run', [said]]]) };
  }
}

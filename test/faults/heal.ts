import type { Cluster } from './cluster.ts';
import { proxiesOf } from './cluster-shops.ts';
import type { ManagedProgram } from './managed-program.ts';

/** Takes away whatever a fault has done, and waits until everybody is up. */
export async function heal({ shops, stores }: Pick<Cluster, 'shops' | 'stores'>): Promise<void> {
  const programs: readonly ManagedProgram[] = [...Object.values(stores), ...shops];
  for (const program of programs) program.thaw();
  for (const proxy of shops.flatMap(proxiesOf)) {
    proxy.judge = undefined;
    if (proxy.mode() !== 'pass') await proxy.setMode('pass');
  }
  await Promise.all(programs.filter((program) => !program.isRunning()).map((program) => program.start()));
}

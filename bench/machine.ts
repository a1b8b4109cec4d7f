import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** What the figures depend on, one line each. */
export function describeMachine(): readonly string[] {
  const [cpu] = cpus();
  return [
    `${cpus().length} cores ${cpu?.model ?? ''}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${type()} ${release()}`,
    `Node ${process.versions.node}, ${versionOf('mariadbd')}, ${versionOf('redis-server')}`,
    `load average at the end ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
  ];
}

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return `${program} ${/\d+\.\d+\.\d+/.exec(stdout ?? '')?.[0] ?? 'unknown'}`;
}

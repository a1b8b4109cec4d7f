import pm2 from 'pm2';
import { createLogger } from '../shared/logger.ts';

/**
 * A program that pm2 runs beside the others: ends a worker that says nothing any more, which pm2 by itself would never notice,
 * so that pm2 starts another. A stopped or blocked worker still gets its share of the connections, and answers none.
 */
const silentMs = 10_000;
const checkEveryMs = 1000;
/** how long a worker may take to start before its silence counts */
const startMs = 30_000;

const log = createLogger({ level: 'info' });
const heardAt = new Map<number, number>();

async function check(): Promise<void> {
  const now = performance.now();
  for (const { pid, name, pm2_env: state } of await list()) {
    if (pid === undefined || pid === process.pid || state?.status !== 'online') continue;
    if (Date.now() - (state.pm_uptime ?? 0) < startMs && !heardAt.has(pid)) continue;
    const silentForMs = now - (heardAt.get(pid) ?? 0);
    if (silentForMs < silentMs) continue;
    log.error({ process: name, pid, silentForMs: Math.round(silentForMs) }, 'ending a process that hangs');
    heardAt.delete(pid);
    process.kill(pid, 'SIGKILL');
  }
}

function list(): Promise<readonly pm2.ProcessDescription[]> {
  return new Promise((resolve, reject) => pm2.list((error, found) => (error ? reject(error) : resolve(found))));
}

/** `process.send` of a worker, as pm2 passes it on. */
interface Heard {
  readonly data?: { readonly alive?: number };
}

pm2.connect((problem) => {
  if (problem) throw problem;
  pm2.launchBus((error: Error | null, bus: { on(event: string, heard: (message: Heard) => void): void }) => {
    if (error) throw error;
    bus.on('process:msg', ({ data }) => {
      if (data?.alive !== undefined) heardAt.set(data.alive, performance.now());
    });
    setInterval(() => {
      check().catch((failure: unknown) => log.error({ error: failure }, 'could not look at the processes'));
    }, checkEveryMs);
  });
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));

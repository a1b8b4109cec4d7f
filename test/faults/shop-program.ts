import { createApp } from '../../src/app.ts';
import type { Overrides } from '../../src/app-modules.ts';
import { readConfig } from '../../src/shared/config.ts';
import { createLogger } from '../../src/shared/logger.ts';

/**
 * A program: the shop as `src/server.ts` runs it, but with the pauses of the background tasks from FAULT_INTERVALS, in JSON, so
 * that a run need not wait a minute for the sweep, and with a clock that jumps by FAULT_CLOCK_STEP_MS soon after the start.
 */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLogger({ level: config.logLevel });
  const overrides: Overrides = { orderIntervals: JSON.parse(process.env.FAULT_INTERVALS ?? '{}') };
  const app = await createApp({ config, log, overrides });
  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    await app.http.drain({ delayMs: config.http.drainDelayMs, timeoutMs: config.http.drainTimeoutMs });
    await app.close();
    process.exit(exitCode);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(0));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      log.fatal({ error }, event);
      void stop(1);
    });
  await app.start();
  log.info({ port: await app.http.listen(config.http) }, 'listening');
  const stepMs = Number(process.env.FAULT_CLOCK_STEP_MS ?? 0);
  if (stepMs !== 0) setTimeout(() => stepClock(stepMs), clockStepsAfterMs);
}

const clockStepsAfterMs = 1000;

/** From now on all that this process calls the present is another one; timers go on, as they do when a clock is set. */
function stepClock(stepMs: number): void {
  const Real = Date;
  globalThis.Date = new Proxy(Real, {
    construct: (_target, args, newTarget) => Reflect.construct(Real, args.length === 0 ? [Real.now() + stepMs] : args, newTarget),
    get: (target, name) => (name === 'now' ? () => Real.now() + stepMs : Reflect.get(target, name)),
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});

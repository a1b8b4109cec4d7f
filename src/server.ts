import { enableCompileCache } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import type { App } from './app.ts';
import type { Config } from './shared/config.ts';

/** The process: configuration, stores, port, and an orderly end on SIGTERM and SIGINT. */

enableCompileCache();

/** What closing the stores may take after the drain, before the process ends all the same. */
const closeTimeoutMs = 3000;
/** An ordinary start is over before, so that nobody is refused who comes as soon as the port is open. */
const listenAnywayMs = 3000;
const aliveEveryMs = 2000;

async function main(): Promise<void> {
  // Whoever read the terminal may have gone away; that must not end the shop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // first of all: one that waits for a store before it listens would be taken for hung
  sayAlive();
  // Loaded after the compile cache is on, which halves what parsing costs at every start but the first.
  const [{ createApp }, { readConfig }, { createLogger }] = await Promise.all([
    import('./app.ts'),
    import('./shared/config.ts'),
    import('./shared/logger.ts'),
  ]);
  const config = readConfig();
  const log = createLogger({ level: config.logLevel });
  const app = await createApp({ config, log });
  showNewPassword(app);
  const stop = stopOnce(app, config);
  process.on('SIGTERM', () => void stop.begin(0));
  process.on('SIGINT', () => void stop.begin(0));
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'uncaught exception');
    void stop.begin(1);
  });
  process.on('unhandledRejection', (error) => {
    log.fatal({ error }, 'unhandled rejection');
    void stop.begin(1);
  });
  try {
    const started = app.start();
    // one that waits for a store says so to whoever asks
    await Promise.race([started, pause(listenAnywayMs)]);
    const port = await app.http.listen(config.http);
    await started;
    log.info({ port, host: config.http.host }, 'listening');
    greet(app, config, port);
    process.send?.('ready');
  } catch (error) {
    if (stop.hasBegun()) return; // while it waited
    setTimeout(() => process.exit(1), closeTimeoutMs).unref();
    await app.close();
    throw error;
  }
}

/** Drains, closes, exits. A second signal during the drain changes nothing. */
function stopOnce(app: App, { http }: Config): { begin(exitCode: number): Promise<void>; hasBegun(): boolean } {
  let stopping = false;
  return {
    hasBegun: () => stopping,
    begin: async (exitCode) => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => process.exit(exitCode || 1), http.drainDelayMs + http.drainTimeoutMs + closeTimeoutMs).unref();
      await app.http.drain({ delayMs: http.drainDelayMs, timeoutMs: http.drainTimeoutMs });
      await app.close();
      process.exit(exitCode);
    },
  };
}

/** For what watches over several processes (src/commands/watch-processes.ts); a process that hangs falls silent. */
function sayAlive(): void {
  if (process.send === undefined) return;
  setInterval(() => process.send?.({ type: 'process:msg', data: { alive: process.pid } }), aliveEveryMs).unref();
}

/** As soon as it is made: the next start, should this one fail, has none to show. */
function showNewPassword({ newAdminPassword }: App): void {
  if (newAdminPassword === undefined || !process.stderr.isTTY) return;
  process.stderr.write(`First admin:       admin, password ${newAdminPassword} (shown once)\n`);
}

/** For the person at the terminal, so not on stdout, where each line is a log entry. */
function greet(app: App, { http }: Config, port: number): void {
  const host = http.host.includes(':') ? `[${http.host}]` : http.host;
  const address = `http://${host === '127.0.0.1' || host === '0.0.0.0' ? 'localhost' : host}:${port}`;
  const lines = [`The shop is open:  ${address}`, `API reference:     ${address}/docs`];
  if (app.adminPasswordFile !== undefined) lines.push(`Admin password in: ${app.adminPasswordFile}`);
  process.stderr.write(`${lines.join('\n')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exit(1);
});

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const taken = 'code' in error && error.code === 'EADDRINUSE';
  return taken ? `${error.message}: set PORT to another port, or end what has this one` : error.message;
}

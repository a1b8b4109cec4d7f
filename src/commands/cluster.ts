import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readConfig } from '../shared/config.ts';

/**
 * `npm run cluster`: the built shop as several processes under pm2, in the foreground, until a signal ends it. With further words, pm2 itself,
 * for the processes that run: `npm run cluster -- reload api`.
 */
const root = join(import.meta.dirname, '..', '..');
const ecosystem = join(root, 'ecosystem.config.js');

function main(): void {
  const words = process.argv.slice(2);
  if (words.length > 0) {
    run('pm2', words);
    return;
  }
  refuseAlone(readConfig());
  if (!existsSync(join(root, 'dist/src/server.js'))) throw new Error('There is no build: run `npm run build` first.');
  run('pm2-runtime', ['start', ecosystem, '--raw']);
}

/** What one process may keep for itself, several have to share; each service what its own modules keep. */
function refuseAlone({ stores, auth, modules }: Config): void {
  const missing = [
    (modules.catalog || modules.orders) && stores.mysqlUrl === undefined && 'MYSQL_URL',
    modules.auth && stores.dynamo === undefined && 'AWS_REGION or DYNAMODB_ENDPOINT',
    stores.redisUrl === undefined && 'REDIS_URL',
    modules.auth && auth.jwtPrivateKeys === undefined && 'JWT_PRIVATE_KEYS',
    modules.auth && auth.refreshKeys === undefined && 'REFRESH_KEYS',
    modules.auth && auth.passwordPepper === undefined && 'PASSWORD_PEPPER',
  ].filter((name) => name !== false);
  if (missing.length > 0)
    throw new Error(`A cluster can not run on embedded storage, which is for one process: set ${missing.join(', ')}.`);
}

function run(program: 'pm2' | 'pm2-runtime', words: readonly string[]): void {
  const child = spawn(process.execPath, [join(root, 'node_modules/pm2/bin', program), ...words], {
    stdio: 'inherit',
    // apart from whatever else pm2 runs on this machine
    // biome-ignore lint/style/noProcessEnv: handed on as it is
    env: { PM2_HOME: join(root, '.pm2'), ...process.env },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

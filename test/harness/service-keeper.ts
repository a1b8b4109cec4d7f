import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDynamoLocal } from './dynamo-local.ts';
import { startMariaDb } from './mariadb.ts';
import type { Server } from './server-child.ts';
import { dynamoVariable, mysqlVariable } from './services.ts';

/**
 * A process that owns the servers of a test run: says in one line of JSON where they are, and stops them and removes their
 * folder when its standard input ends, which is when the run has ended in whatever way.
 */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'services-'));
  const servers: Server[] = [];
  const ended = new Promise<void>((resolve) => {
    process.stdin.on('close', resolve).resume();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  try {
    const starting = [
      ...(process.env[mysqlVariable] === undefined ? [startMariaDb(join(folder, 'mariadb'), servers)] : []),
      ...(process.env[dynamoVariable] === undefined ? [startDynamoLocal(servers)] : []),
    ];
    const variables = await Promise.race([Promise.all(starting), ended]);
    if (variables !== undefined) process.stdout.write(`${JSON.stringify(Object.assign({}, ...variables))}\n`);
    await ended;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);

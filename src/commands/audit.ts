import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readConfig, sqliteFileName } from '../shared/config.ts';
import { type Database, openMysql, openSqlite } from '../shared/database.ts';
import { auditedInvariants, auditShop } from './audit-shop.ts';

/**
 * `npm run audit`: checks the invariants on the live data, read-only, also beside a running server.
 * Exit code 0: clean. 1: rows that break an invariant, each named. 2: the data can't be read.
 */
const maxShown = 100;

async function main(): Promise<number> {
  const db = await openStore(readConfig());
  let count = 0;
  for await (const { invariant, subject, detail } of auditShop(db)) {
    count += 1;
    if (count <= maxShown) process.stdout.write(`${invariant}  ${subject}: ${detail}\n`);
  }
  await db.close();
  if (count > maxShown) process.stdout.write(`… and ${count - maxShown} more\n`);
  if (count > 0) process.stdout.write(`${count} findings\n`);
  else for (const [invariant, text] of Object.entries(auditedInvariants)) process.stdout.write(`${invariant}  clean: ${text}\n`);
  return count === 0 ? 0 : 1;
}

function openStore({ stores }: Config): Promise<Database> {
  if (stores.mysqlUrl !== undefined) return openMysql({ url: stores.mysqlUrl });
  const file = join(stores.dataDir, sqliteFileName);
  if (!existsSync(file)) throw new Error(`There is no shop in ${stores.dataDir}: set DATA_DIR.`);
  return openSqlite({ file, readOnly: true });
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);

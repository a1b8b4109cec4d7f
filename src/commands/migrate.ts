import { join } from 'node:path';
import { type Config, readConfig, sqliteFileName } from '../shared/config.ts';
import { openDataFolder } from '../shared/data-folder.ts';
import { type Database, openMysql, openSqlite } from '../shared/database.ts';
import { migrate, undoLastMigration } from '../shared/migrations.ts';

/**
 * `npm run migrate`: brings the schema up to date; `npm run migrate -- down` undoes the last step. On embedded storage no
 * server may be running. Exit code 0: done. 1: it failed, and says why.
 */
async function main(): Promise<void> {
  const [direction = 'up', ...rest] = process.argv.slice(2);
  if (rest.length > 0 || !['up', 'down'].includes(direction)) throw new Error('usage: npm run migrate [-- up|down]');
  const { db, close } = await openStore(readConfig());
  try {
    if (direction === 'down')
      report(
        'undone',
        [await undoLastMigration(db)].filter((name) => name !== undefined),
      );
    else report('run', await migrate(db));
  } finally {
    await close();
  }
}

function report(what: string, names: readonly string[]): void {
  for (const name of names) process.stdout.write(`${what}: ${name}\n`);
  if (names.length === 0) process.stdout.write('nothing to do\n');
}

async function openStore({ stores }: Config): Promise<{ db: Database; close: () => Promise<void> }> {
  if (stores.mysqlUrl !== undefined) {
    const db = await openMysql({ url: stores.mysqlUrl });
    return { db, close: () => db.close() };
  }
  const folder = openDataFolder(stores.dataDir);
  const db = await openSqlite({ file: join(folder.path, sqliteFileName) });
  return {
    db,
    close: async () => {
      await db.close();
      folder.close();
    },
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

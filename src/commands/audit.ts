import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditedStores, auditedInvariants, auditedUserInvariants, auditShop } from '../audit-shop.ts';
import { openAuthAudit } from '../modules/auth/index.ts';
import { type AuditRun, createAuditRun } from '../shared/audit-run.ts';
import { type Config, readConfig, sqliteFileName } from '../shared/config.ts';
import { type DataFolder, FolderInUseError, openDataFolder } from '../shared/data-folder.ts';
import { openMysql, openSqlite } from '../shared/database.ts';
import { type Dynamo, openDynamo } from '../shared/dynamo.ts';
import { openEmbeddedDynamo } from '../shared/embedded-dynamo.ts';

/**
 * `npm run audit`: checks the invariants on the live data, read-only, also beside a running server.
 * Exit code 0: clean. 1: rows that break an invariant, each named. 2: the data can't be read.
 */
const maxShown = 100;

async function main(): Promise<number> {
  const startedAt = performance.now();
  const { stores, leftOut, close } = await openStores(readConfig());
  try {
    const run = createAuditRun();
    let count = 0;
    for await (const { invariant, subject, detail } of auditShop(stores, run)) {
      count += 1;
      if (count <= maxShown) say(`${invariant}  ${subject}: ${detail}`);
    }
    if (count > maxShown) say(`… and ${count - maxShown} more`);
    if (count === 0) sayClean(stores);
    if (leftOut !== undefined) say(`${Object.keys(auditedUserInvariants).join(', ')}  left out: ${leftOut}`);
    say(`${count} findings; looked at ${lookedAt(run)} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    return count === 0 ? 0 : 1;
  } finally {
    await close();
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function sayClean({ users }: AuditedStores): void {
  const checked = { ...auditedInvariants, ...(users !== undefined && auditedUserInvariants) };
  for (const [invariant, text] of Object.entries(checked).sort()) say(`${invariant}  clean: ${text}`);
}

/** A clean audit that looked at nothing has to be told from one that looked at a shop. */
function lookedAt({ counts }: AuditRun): string {
  const inWords = (things: string) => things.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return [...counts].map(([things, many]) => `${many} ${inWords(things)}`).join(', ');
}

interface OpenedStores {
  readonly stores: AuditedStores;
  /** why the users are left out */
  readonly leftOut?: string;
  close(): Promise<void>;
}

async function openStores(config: Config): Promise<OpenedStores> {
  const { mysqlUrl, dataDir, dynamo: remote } = config.stores;
  const file = join(dataDir, sqliteFileName);
  if (mysqlUrl === undefined && !existsSync(file)) throw new Error(`There is no shop in ${dataDir}: set DATA_DIR.`);
  const { dynamo, leftOut, folder } =
    remote === undefined ? await openEmbeddedUsers(config) : { dynamo: await openDynamo(remote) };
  const db = mysqlUrl === undefined ? await openSqlite({ file, readOnly: true }) : await openMysql({ url: mysqlUrl });
  return {
    stores: { db, users: dynamo && (await openAuthAudit(dynamo)) },
    ...(leftOut !== undefined && { leftOut }),
    close: async () => {
      await db.close();
      await dynamo?.close();
      folder?.close();
    },
  };
}

/** The embedded store of users belongs to one process: beside a server only that itself can look into it. */
async function openEmbeddedUsers({
  stores: { dataDir },
  modules,
}: Config): Promise<{ readonly dynamo?: Dynamo; readonly leftOut?: string; readonly folder?: DataFolder }> {
  if (!modules.auth) return { leftOut: 'auth is not one of the MODULES of this process' };
  if (!existsSync(join(dataDir, 'dynamo')))
    throw new Error(`There is no store of users in ${dataDir}: set DATA_DIR, or AWS_REGION for DynamoDB.`);
  try {
    const folder = openDataFolder(dataDir);
    return { dynamo: await openEmbeddedDynamo(folder.path), folder };
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    return { leftOut: `${error.message}; it looks at its users itself (AUDIT_INTERVAL_SECONDS)` };
  }
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

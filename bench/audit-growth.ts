import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { auditShop } from '../src/audit-shop.ts';
import { createAuditRun } from '../src/shared/audit-run.ts';
import { type Database, openMysql, openSqlite } from '../src/shared/database.ts';
import { migrate, pendingMigrations } from '../src/shared/migrations.ts';
import { fillShop } from './fill-shop.ts';

/**
 * How the audit grows with the shop: fills an empty store, given by its URL or file, and audits it; a store that is filled is
 * only audited, which measures the memory of the audit alone. A million orders take some minutes to fill.
 */
const usage = 'usage: node bench/audit-growth.ts --orders N (--mysql URL | --sqlite FILE)';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { orders: { type: 'string' }, mysql: { type: 'string' }, sqlite: { type: 'string' } },
  });
  const orders = Number(values.orders);
  if (!Number.isSafeInteger(orders) || (values.mysql === undefined) === (values.sqlite === undefined)) throw new Error(usage);
  const db = await open(values);
  try {
    if ((await pendingMigrations(db)).length > 0) {
      await migrate(db);
      const startedAt = performance.now();
      await fillShop(db, { orders, products: 10_000, now: Date.now(), everyMs: 2000 });
      say(`filled with ${orders} orders in ${seconds(startedAt)}`);
      return;
    }
    await audit(db);
  } finally {
    await db.close();
  }
}

async function open({ mysql, sqlite = '' }: { mysql?: string | undefined; sqlite?: string | undefined }): Promise<Database> {
  if (mysql !== undefined) return openMysql({ url: mysql });
  return openSqlite({ file: sqlite, readOnly: existsSync(sqlite) });
}

async function audit(db: Database): Promise<void> {
  const startedAt = performance.now();
  const longest = { ms: 0, sql: '', statements: 0 };
  const run = createAuditRun();
  for await (const { invariant, subject, detail } of auditShop({ db: timed(db, longest) }, run))
    say(`${invariant}  ${subject}: ${detail}`);
  say([...run.counts].map(([things, many]) => `${many} ${things}`).join(', '));
  say(
    `${seconds(startedAt)}, ${longest.statements} statements, ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`,
  );
  say(`longest statement ${longest.ms.toFixed(0)} ms: ${longest.sql.replace(/\s+/g, ' ').slice(0, 160)}`);
}

type Statements = Pick<Database, 'rows'>;

function timed(db: Database, longest: { ms: number; sql: string; statements: number }): Database {
  const rowsOf =
    ({ rows }: Statements): Statements['rows'] =>
    async (sql, params) => {
      const startedAt = performance.now();
      const found = await rows<never>(sql, params);
      const ms = performance.now() - startedAt;
      longest.statements += 1;
      if (ms > longest.ms) Object.assign(longest, { ms, sql });
      return found;
    };
  return {
    ...db,
    rows: rowsOf(db),
    transaction: (work, options) => db.transaction((tx) => work({ ...tx, rows: rowsOf(tx) }), options),
  };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import mysql from 'mysql2/promise';
import { openMysql, openSqlite } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { migrate } from '../src/shared/migrations.ts';
import { startMariaDb } from '../test/harness/mariadb.ts';
import { importNumbered, numberedProduct, readExport } from '../test/harness/product-stream.ts';
import type { Server } from '../test/harness/server-child.ts';
import { startServer } from '../test/harness/server-process.ts';

/** What an import and an export come to, beside hand-written inserts of the same rows into the same tables. */
export interface TransferResult {
  /** rows a second */
  readonly baseline: readonly number[];
  readonly imported: readonly number[];
  readonly exported: readonly number[];
  /** resident memory of the server in MiB: the most while a few rows and while all rows were imported and exported */
  readonly fewMib: number;
  readonly allMib: number;
}

export interface TransferOptions {
  readonly store: 'mariadb' | 'sqlite';
  readonly rows: number;
  readonly rounds: number;
  /** of the built server; absent: the sources */
  readonly entry?: string | undefined;
}

const fewRows = 10_000;
const rowsPerStatement = 256;
const sampleMs = 100;
const longestRunMs = 3_600_000;
const password = 'a password for the measurements';

/** Round by round on a new store each time. @throws when a row was refused or is missing afterwards */
export async function runImportProducts({ store, rows, rounds, entry }: TransferOptions): Promise<TransferResult> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-import-'));
  const servers: Server[] = [];
  try {
    const mysqlUrl = store === 'mariadb' ? Object.values(await startMariaDb(join(folder, 'mariadb'), servers))[0] : undefined;
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round += 1)
      measured.push(
        await runRound({
          ...{
            folder: join(folder, `round-${round}`),
            name: `round_${round}`,
            mysqlUrl,
            rows,
            entry,
            baselineFirst: round % 2 === 0,
          },
        }),
      );
    const all = <Name extends keyof Round>(name: Name) => measured.map((round) => round[name]);
    return {
      baseline: all('baseline'),
      imported: all('imported'),
      exported: all('exported'),
      fewMib: Math.min(...all('fewMib')),
      allMib: Math.max(...all('allMib')),
    };
  } finally {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Round {
  readonly baseline: number;
  readonly imported: number;
  readonly exported: number;
  readonly fewMib: number;
  readonly allMib: number;
}

interface RoundOptions {
  readonly folder: string;
  readonly name: string;
  readonly mysqlUrl: string | undefined;
  readonly rows: number;
  readonly entry: string | undefined;
  readonly baselineFirst: boolean;
}

async function runRound(options: RoundOptions): Promise<Round> {
  const { folder, name, mysqlUrl, rows } = options;
  const insert = async () => {
    if (mysqlUrl !== undefined) return insertIntoMysql(await migratedDatabase(mysqlUrl, `${name}_baseline`), rows);
    return insertIntoSqlite(await migratedFile(`${folder}-baseline.sqlite`), rows);
  };
  if (options.baselineFirst) return { baseline: await insert(), ...(await runShop(options)) };
  return { ...(await runShop(options)), baseline: await insert() };
}

async function runShop({ folder, name, mysqlUrl, rows, entry }: RoundOptions): Promise<Omit<Round, 'baseline'>> {
  const env = { DATA_DIR: folder, ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: password, RATE_LIMIT_ENABLED: 'false' };
  const stores = mysqlUrl === undefined ? {} : { MYSQL_URL: await migratedDatabase(mysqlUrl, name) };
  const server = await startServer({ ...env, ...stores }, { longestRunMs, ...(entry !== undefined && { entry }) });
  const { url } = server;
  const memory = watchMemory(server.pid);
  try {
    const few = await importNumbered({ url, token: await signIn(url) }, fewRows);
    await readExport({ url, token: await signIn(url) });
    const fewMib = memory.most();
    const startedAt = performance.now();
    // the first ones are what they are: it is the rest that counts
    const end = await importNumbered({ url, token: await signIn(url) }, rows);
    const imported = (rows - fewRows) / seconds(startedAt);
    if (few.created !== fewRows || end.created !== rows - fewRows) throw new Error(`The import came to ${JSON.stringify(end)}.`);
    // a long import outlives the token
    const token = await signIn(url);
    const exportedAt = performance.now();
    const lines = await readExport({ url, token });
    if (lines !== rows) throw new Error(`The export has ${lines} lines.`);
    return { imported, exported: rows / seconds(exportedAt), fewMib, allMib: memory.most() };
  } finally {
    memory.stop();
    await server.kill('SIGTERM');
  }
}

async function migratedFile(file: string): Promise<string> {
  const db = await openSqlite({ file });
  await migrate(db);
  await db.close();
  return file;
}

async function migratedDatabase(server: string, name: string): Promise<string> {
  const connection = await mysql.createConnection(server);
  await connection.query(`CREATE DATABASE ${name}`);
  await connection.end();
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const db = await openMysql({ url });
  await migrate(db);
  await db.close();
  return url;
}

async function signIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password }),
  });
  return ((await answer.json()) as { accessToken: string }).accessToken; // as the shop documents it
}

function watchMemory(pid: number) {
  let most = 0;
  const timer = setInterval(() => {
    const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    most = Math.max(most, Number(kib) / 1024);
  }, sampleMs);
  return { most: () => most, stop: () => clearInterval(timer) };
}

/** What the statements of one batch insert, by table. */
function* batches(rows: number): Generator<Readonly<Record<string, readonly (readonly (string | number | null)[])[]>>> {
  const time = new Date().toISOString().replace('T', ' ').slice(0, -1);
  for (let first = 0; first < rows; first += rowsPerStatement) {
    const products = Array.from({ length: Math.min(rowsPerStatement, rows - first) }, (_, index) => ({
      id: newId(),
      ...JSON.parse(numberedProduct(first + index)),
    }));
    yield {
      'catalog_products (id, sku, live_sku, name, name_key, description, category, attributes, price_amount, price_currency, version, created_at, updated_at)':
        products.map(({ id, sku, name, description, category, attributes, price }) => [
          ...[id, sku, sku, name, name.toLowerCase(), description, category, JSON.stringify(attributes)],
          ...[price.amount, price.currency, 1, time, time],
        ]),
      'catalog_stock (product_id, on_hand, reserved, version)': products.map(({ id, initialStock }) => [id, initialStock, 0, 1]),
      'catalog_stock_movements (id, product_id, kind, delta, created_at)': products.map(({ id, initialStock }) => [
        ...[newId(), id, 'initial', initialStock, time],
      ]),
      'catalog_search (product_id, words)': products.map(({ id, name, sku, category, description }) => [
        id,
        [...new Set(`${name} ${sku} ${category} ${description}`.toLowerCase().match(/\w+/g))]
          .map((word) => `w0${word}`)
          .join(' '),
      ]),
    };
  }
}

const valuesOf = (rows: readonly (readonly unknown[])[]) => rows.map((row) => `(${row.map(() => '?').join(',')})`).join(',');

async function insertIntoMysql(url: string, rows: number): Promise<number> {
  const connection = await mysql.createConnection(url);
  const startedAt = performance.now();
  for (const tables of batches(rows)) {
    await connection.query('START TRANSACTION');
    for (const [into, values] of Object.entries(tables))
      await connection.query(`INSERT INTO ${into} VALUES ${valuesOf(values)}`, values.flat());
    await connection.query('COMMIT');
  }
  const rate = rows / seconds(startedAt);
  await connection.end();
  return rate;
}

function insertIntoSqlite(file: string, rows: number): number {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -16000');
  const startedAt = performance.now();
  for (const tables of batches(rows)) {
    database.exec('BEGIN IMMEDIATE');
    for (const [into, values] of Object.entries(tables))
      database.prepare(`INSERT INTO ${into} VALUES ${valuesOf(values)}`).run(...values.flat());
    database.exec('COMMIT');
  }
  const rate = rows / seconds(startedAt);
  database.close();
  return rate;
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      store: { type: 'string', default: 'mariadb' },
      rows: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '3' },
      entry: { type: 'string' },
    },
  });
  const { store, entry } = values;
  if (store !== 'mariadb' && store !== 'sqlite')
    throw new Error('usage: node bench/import-products.ts --store mariadb|sqlite --rows N --rounds N');
  const result = await runImportProducts({ store, rows: Number(values.rows), rounds: Number(values.rounds), entry });
  process.stdout.write(`${JSON.stringify({ store, rows: Number(values.rows), ...result }, undefined, 2)}\n`);
}

if (import.meta.main) await main();

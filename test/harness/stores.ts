import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { type Database, openMysql, openSqlite } from '../../src/shared/database.ts';
import { type Dynamo, openDynamo } from '../../src/shared/dynamo.ts';
import { startEmbeddedDynamo } from '../../src/shared/embedded-dynamo.ts';
import { newId } from '../../src/shared/identifier.ts';
import { migrate } from '../../src/shared/migrations.ts';
import { dynamoVariable, mysqlVariable } from './services.ts';

/**
 * The stores of a test, its own and gone after it: embedded ones in a folder, or in the project `services` of jest.config.js
 * a database on MariaDB and a table prefix on DynamoDB Local.
 */
export const onServices = process.env.TEST_STORES === 'services';

export interface TestDatabase {
  readonly db: Database;
  close(): Promise<void>;
}

/** An SQL store without tables. */
export async function openStore(): Promise<TestDatabase> {
  if (onServices) {
    const { url, drop } = await createMysqlDatabase();
    const db = await openMysql({ url });
    return { db, close: () => db.close().then(drop) };
  }
  const folder = mkdtempSync(join(tmpdir(), 'shop-'));
  const db = await openSqlite({ file: join(folder, 'shop.sqlite') });
  return {
    db,
    close: async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface TestDynamo {
  /** each connection is a client of its own, as a process would have */
  connect(): Promise<Dynamo>;
  close(): Promise<void>;
}

/** A store for users and sessions without tables. */
export async function openUserStore(): Promise<TestDynamo> {
  if (onServices) {
    const { endpoint, tablePrefix, drop } = createTablePrefix();
    return { connect: () => openDynamo({ endpoint, region: 'local', tablePrefix }), close: drop };
  }
  const folder = mkdtempSync(join(tmpdir(), 'accounts-'));
  const store = await startEmbeddedDynamo(folder);
  return {
    connect: () => store.connect(),
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface ShopStores {
  /** what a whole shop is told about its stores */
  readonly variables: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** The stores of a whole shop, migrated, and a folder for its secrets. */
export async function makeShopStores(): Promise<ShopStores> {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  if (!onServices) return { variables: { DATA_DIR: folder }, remove: async () => removeFolder() };
  const servers = await makeServerStores();
  const db = await openMysql({ url: servers.variables.MYSQL_URL ?? '' });
  await migrate(db);
  await db.close();
  return {
    variables: { DATA_DIR: folder, ...servers.variables },
    remove: async () => {
      await servers.remove();
      removeFolder();
    },
  };
}

/** On the servers a database without tables, and the tables of users that are not there yet. */
export async function makeServerStores(): Promise<ShopStores> {
  const { url, drop } = await createMysqlDatabase();
  const tables = createTablePrefix();
  return {
    variables: {
      MYSQL_URL: url,
      DYNAMODB_ENDPOINT: tables.endpoint,
      DYNAMODB_TABLE_PREFIX: tables.tablePrefix,
    },
    remove: async () => {
      await Promise.all([drop(), tables.drop()]);
    },
  };
}

async function createMysqlDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const server = variable(mysqlVariable);
  const name = `test_${newId().replaceAll('-', '')}`;
  await administer(server, `CREATE DATABASE ${name}`);
  return {
    url: Object.assign(new URL(server), { pathname: `/${name}` }).href,
    drop: () => administer(server, `DROP DATABASE ${name}`),
  };
}

async function administer(server: string, sql: string): Promise<void> {
  const connection = await mysql.createConnection(server);
  await connection.query(sql);
  await connection.end();
}

function createTablePrefix(): { readonly endpoint: string; readonly tablePrefix: string; drop(): Promise<void> } {
  const endpoint = variable(dynamoVariable);
  const tablePrefix = `test-${newId()}-`;
  return {
    endpoint,
    tablePrefix,
    drop: async () => {
      const { client, close } = await openDynamo({ endpoint, region: 'local' });
      // names come in their order, so those with the prefix follow it
      const { TableNames = [] } = await client.listTables({ ExclusiveStartTableName: tablePrefix });
      for (const name of TableNames) if (name.startsWith(tablePrefix)) await client.deleteTable({ TableName: name });
      await close();
    },
  };
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: the services are not running`);
  return value;
}

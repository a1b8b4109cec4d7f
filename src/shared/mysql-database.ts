import type { Connection, ResultSetHeader } from 'mysql2';
import mysql from 'mysql2';
import { Sequelize } from 'sequelize';
import { refuseWhenLate } from './deadline.ts';
import { cutOff, limitStatements } from './mysql-watchdog.ts';
import type { Database, Param, SqlTransaction } from './sql.ts';
import { checkParams } from './sql.ts';
import { CommitInDoubt, isReader, isStoreDown } from './store-errors.ts';
import { transactionHandle } from './transaction-handle.ts';
import { withConflictRetries } from './transaction-retry.ts';

export interface MysqlOptions {
  readonly url: string;
  /** connections of the pool, default 10 */
  readonly poolMax?: number;
  /** told how long each statement and transaction waited for a connection */
  readonly onWaited?: (ms: number) => void;
}

const connectTimeoutMs = 2_000;
const acquireTimeoutMs = 1_000;
const statementTimeoutMs = 2_000;
/** A write has no limit on MySQL, so the client gives up a little later than the server would, and drops the connection. */
const watchdogMs = 2_500;
const noLimit = 0;
/** below the server's `wait_timeout`, so that the pool never hands out a session that the server has ended */
const idleMs = 10_000;
const waitTimeoutSeconds = 20;
/** Clearly below the limit of statements: a wait that ends as a lock timeout is tried again, one that is cut off is not. */
const lockWaitTimeoutSeconds = 1;
const singleMax = 4;
/** Longer lists go as text: they differ in length from batch to batch, and preparing a statement that comes once costs a round trip. */
const maxPreparedParams = 24;
const maxPreparedStatements = 200;

/** Opens a pool on MySQL 8 or MariaDB 10.6 and later. Connections are made when they are needed, so the server may be down. */
export async function openMysql({ url, poolMax = 10, onWaited = () => {} }: MysqlOptions): Promise<Database> {
  const sequelize = connectedTo(url, { max: poolMax, min: 0, acquire: acquireTimeoutMs, idle: idleMs });
  const single = connectedTo(url, {
    max: singleMax,
    min: 0,
    acquire: connectTimeoutMs + acquireTimeoutMs,
    idle: idleMs,
    maxUses: 1,
  });
  const shared = measured(poolOf(sequelize), onWaited);
  return {
    dialect: 'mysql',
    sequelize,
    ...statements((work) => withPooled(shared, work)),
    transaction: (work, { readOnly = false, fresh = false, unhurried = false } = {}) => {
      const pool = fresh || unhurried ? poolOf(single) : shared;
      return withConflictRetries(() => runTransaction({ sequelize, pool, readOnly, unhurried }, work));
    },
    async close() {
      await Promise.all([sequelize.close(), single.close()]);
    },
  };
}

interface Begin {
  readonly sequelize: Sequelize;
  readonly pool: Pool;
  readonly readOnly: boolean;
  readonly unhurried: boolean;
}

async function runTransaction<T>(
  { sequelize, pool, readOnly, unhurried }: Begin,
  work: (tx: SqlTransaction) => Promise<T>,
): Promise<T> {
  refuseWhenLate();
  const connection = await pool.getConnection({});
  const { handle, ended, end } = transactionHandle(sequelize, connection);
  const { use, mustBeSound } = guarded(connection, ended);
  let usable = false;
  try {
    if (unhurried) await send(connection, `SET SESSION ${await statementLimit(connection, noLimit)}`);
    await begin(connection, readOnly);
    const result = await work({ dialect: 'mysql', handle, ...statements(use, unhurried ? noLimit : watchdogMs) });
    mustBeSound();
    await commit(connection);
    end('commit');
    usable = true;
    return result;
  } catch (error) {
    // Sequelize rolls back by itself after a deadlock
    usable = !(error instanceof CommitInDoubt) && !isReader(error) && (ended() || (await rolledBack(connection)));
    end('rollback');
    throw error;
  } finally {
    await giveBack(pool, connection, usable);
  }
}

/** The connection of a transaction as long as that is open. */
function guarded(connection: Connection, ended: () => boolean): { use: Statements; mustBeSound: () => void } {
  let fatal: unknown;
  return {
    async use(work) {
      if (ended()) throw new Error('the transaction has ended');
      refuseWhenLate();
      try {
        return await work(connection);
      } catch (error) {
        if (isStoreDown(error)) fatal ??= error;
        throw error;
      }
    },
    /** A lock timeout undoes one statement only: whoever swallows it must not be able to commit the rest. */
    mustBeSound() {
      if (fatal !== undefined) throw fatal;
      if (ended()) throw new Error('the transaction was rolled back by an earlier error');
    },
  };
}

async function begin(connection: Connection, readOnly: boolean): Promise<void> {
  if (!readOnly) return void (await send(connection, 'START TRANSACTION'));
  // the session's READ COMMITTED would take a new snapshot for each statement
  await send(connection, 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await send(connection, 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
}

async function commit(connection: Connection): Promise<void> {
  try {
    await send(connection, 'COMMIT');
  } catch (cause) {
    throw new CommitInDoubt('nobody knows whether it is committed', { cause });
  }
}

async function rolledBack(connection: Connection): Promise<boolean> {
  try {
    await send(connection, 'ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

type Statements = <T>(work: (connection: Connection) => Promise<T>) => Promise<T>;

function statements(onConnection: Statements, timeoutMs = watchdogMs): Pick<Database, 'rows' | 'run'> {
  return {
    async rows<R>(sql: string, params: readonly Param[] = []) {
      checkParams(params);
      const rows = await onConnection((connection) => send(connection, sql, { params, timeoutMs }));
      return rows as R[]; // the caller names the columns of its own query
    },
    async run(sql, params = []) {
      checkParams(params);
      const header = await onConnection((connection) => send(connection, sql, { params, timeoutMs }));
      return (header as ResultSetHeader).affectedRows; // what the driver answers to anything but a query
    },
  };
}

interface Sending {
  readonly params?: readonly Param[];
  readonly timeoutMs?: number;
}

function send(connection: Connection, sql: string, { params = [], timeoutMs = watchdogMs }: Sending = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const answered = (error: Error | null, answer: unknown) => (error ? reject(error) : resolve(answer));
    const options = { sql, limitMs: timeoutMs };
    if (params.length === 0 || params.length > maxPreparedParams) connection.query(options, [...params], answered);
    else connection.execute(options, params.map(withIntegers), answered);
  });
}

/** The driver sends a number as DOUBLE, which turns integer arithmetic on the server into that of floats. */
function withIntegers(param: Param) {
  return typeof param === 'number' ? mysql.TypedParameter.LONGLONG(param) : param;
}

/** Sequelize's own pool, which it does not declare. */
interface Pool {
  getConnection(options: object): Promise<Connection>;
  releaseConnection(connection: Connection): void;
  destroyConnection(connection: Connection): Promise<void>;
}

function poolOf(sequelize: Sequelize): Pool {
  return (sequelize as Sequelize & { connectionManager: Pool }).connectionManager; // see there
}

function measured(pool: Pool, onWaited: (ms: number) => void): Pool {
  return {
    getConnection: async (options) => {
      const askedAt = performance.now();
      const connection = await pool.getConnection(options);
      onWaited(performance.now() - askedAt);
      return connection;
    },
    releaseConnection: (connection) => pool.releaseConnection(connection),
    destroyConnection: (connection) => pool.destroyConnection(connection),
  };
}

async function withPooled<T>(pool: Pool, work: (connection: Connection) => Promise<T>): Promise<T> {
  refuseWhenLate();
  const connection = await pool.getConnection({});
  let usable = true;
  try {
    return await work(connection);
  } catch (error) {
    usable = !isReader(error);
    throw error;
  } finally {
    await giveBack(pool, connection, usable);
  }
}

async function giveBack(pool: Pool, connection: Connection, usable: boolean): Promise<void> {
  if (usable) return pool.releaseConnection(connection);
  // first, or the pool would say goodbye on it and wait for an answer
  cutOff(connection);
  await pool.destroyConnection(connection);
}

/** Sequelize would open a connection just for that; it does not declare the option. */
const sparesAskingTheVersion = { databaseVersion: '8.0.0' };

function connectedTo(url: string, pool: object): Sequelize {
  const sequelize = new Sequelize(url, {
    dialect: 'mysql',
    dialectModule: mysql,
    ...sparesAskingTheVersion,
    logging: false,
    timezone: '+00:00',
    pool,
    dialectOptions: {
      charset: 'utf8mb4',
      connectTimeout: connectTimeoutMs,
      supportBigNumbers: true,
      dateStrings: true,
      // an UPDATE answers the rows that it matched, as on the embedded store
      flags: '+FOUND_ROWS',
      maxPreparedStatements,
      typeCast: castAsEmbedded,
    },
  });
  sequelize.addHook('afterConnect', async (opened) => {
    const connection = opened as Connection; // the hook is typed for all dialects
    limitStatements(connection, watchdogMs);
    try {
      await setUpSession(connection);
    } catch (error) {
      cutOff(connection);
      throw error;
    }
  });
  return sequelize;
}

interface Field {
  readonly type: string;
  string(): string | null;
}

/** Takes the place of Sequelize's parsers, which make a Date of every DATETIME. A SUM is a DECIMAL here and a number there. */
function castAsEmbedded(field: Field, next: () => unknown): unknown {
  if (field.type !== 'NEWDECIMAL') return next();
  const text = field.string();
  const value = Number(text);
  return text !== null && Number.isSafeInteger(value) ? value : text;
}

async function setUpSession(connection: Connection): Promise<void> {
  const limit = await statementLimit(connection, statementTimeoutMs);
  await send(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  const settings = [
    `wait_timeout = ${waitTimeoutSeconds}`,
    `innodb_lock_wait_timeout = ${lockWaitTimeoutSeconds}`,
    // behind a change of the schema
    `lock_wait_timeout = ${lockWaitTimeoutSeconds}`,
    `sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'`,
    `time_zone = '+00:00'`,
    limit,
  ];
  await send(connection, `SET SESSION ${settings.join(', ')}`);
}

async function statementLimit(connection: Connection, limitMs: number): Promise<string> {
  const [answer] = (await send(connection, 'SELECT VERSION() AS version')) as { version: string }[]; // of this very query
  return answer?.version.includes('MariaDB') ? `max_statement_time = ${limitMs / 1_000}` : `max_execution_time = ${limitMs}`;
}

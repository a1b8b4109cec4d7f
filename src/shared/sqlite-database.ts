import { Sequelize, Transaction } from 'sequelize';
import { refuseWhenLate } from './deadline.ts';
import type { Database, Param, SqlTransaction } from './sql.ts';
import { checkParams } from './sql.ts';
import { SqliteConnection, sqliteDialect } from './sqlite-dialect.ts';
import type { SqliteParams, SqliteResult } from './sqlite-handle.ts';
import { SqliteStore } from './sqlite-store.ts';
import { CommitInDoubt } from './store-errors.ts';
import { transactionHandle } from './transaction-handle.ts';
import { withConflictRetries } from './transaction-retry.ts';

export interface SqliteOptions {
  readonly file: string;
  /** for programs that look at the file beside a running server */
  readonly readOnly?: boolean;
  /** how long a write waits for its turn, default 5,000 */
  readonly acquireTimeoutMs?: number;
}

/** Opens the embedded store, and makes the file unless `readOnly`. */
export async function openSqlite({ file, readOnly = false, acquireTimeoutMs = 5_000 }: SqliteOptions): Promise<Database> {
  const store = await SqliteStore.open({ file, readOnly, acquireTimeoutMs });
  const sequelize = new Sequelize({
    dialect: 'sqlite',
    dialectModule: sqliteDialect(store),
    storage: file,
    logging: false,
    timezone: '+00:00',
    transactionType: Transaction.TYPES.IMMEDIATE,
  });
  return {
    dialect: 'sqlite',
    sequelize,
    ...statements((sql, params) => store.execute(sql, params)),
    transaction: (work, { readOnly: snapshot = false } = {}) =>
      withConflictRetries(() => {
        const connection = new SqliteConnection(store, file);
        return runTransaction({ sequelize, connection, begin: snapshot ? 'BEGIN DEFERRED' : 'BEGIN IMMEDIATE' }, work);
      }),
    async close() {
      await store.close();
      await sequelize.close();
    },
  };
}

async function runTransaction<T>(
  { sequelize, connection, begin }: { sequelize: Sequelize; connection: SqliteConnection; begin: string },
  work: (tx: SqlTransaction) => Promise<T>,
): Promise<T> {
  await connection.execute(begin);
  const { handle, end } = transactionHandle(sequelize, connection);
  try {
    const result = await work({ dialect: 'sqlite', handle, ...statements((sql, params) => connection.execute(sql, params)) });
    await connection.execute('COMMIT');
    end('commit');
    return result;
  } catch (error) {
    end('rollback');
    if (connection.outcome === 'unknown') throw new CommitInDoubt('nobody knows whether it is committed', { cause: error });
    throw error;
  } finally {
    // rolls back what is still open, and refuses a statement that somebody forgot to wait for
    connection.close();
  }
}

function statements(execute: (sql: string, params: SqliteParams) => Promise<SqliteResult>): Pick<Database, 'rows' | 'run'> {
  return {
    async rows<R>(sql: string, params: readonly Param[] = []) {
      checkParams(params);
      refuseWhenLate();
      const { rows } = await execute(sql, params);
      return rows as R[]; // the caller names the columns of its own query
    },
    async run(sql, params = []) {
      checkParams(params);
      refuseWhenLate();
      const { changes } = await execute(sql, params);
      return changes;
    },
  };
}

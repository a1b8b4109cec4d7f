import { isNativeError } from 'node:util/types';

/** https://sqlite.org/rescode.html; the low byte of an extended code is its primary code. */
const primaryCodes: Readonly<Record<number, string>> = {
  2: 'SQLITE_INTERNAL',
  3: 'SQLITE_PERM',
  4: 'SQLITE_ABORT',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  9: 'SQLITE_INTERRUPT',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  17: 'SQLITE_SCHEMA',
  18: 'SQLITE_TOOBIG',
  19: 'SQLITE_CONSTRAINT',
  20: 'SQLITE_MISMATCH',
  21: 'SQLITE_MISUSE',
  23: 'SQLITE_AUTH',
  25: 'SQLITE_RANGE',
  26: 'SQLITE_NOTADB',
};

/** Sequelize takes every plain SQLITE_CONSTRAINT for a duplicate key, so each kind of constraint gets its extended name. */
const constraintCodes: Readonly<Record<number, string>> = {
  275: 'SQLITE_CONSTRAINT_CHECK',
  787: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  1299: 'SQLITE_CONSTRAINT_NOTNULL',
  1555: 'SQLITE_CONSTRAINT_PRIMARYKEY',
  1811: 'SQLITE_CONSTRAINT_RAISED',
  2067: 'SQLITE_CONSTRAINT_UNIQUE',
  3091: 'SQLITE_CONSTRAINT_DATATYPE',
};

interface SqliteErrorOptions extends ErrorOptions {
  /** The wait for a lock took its whole time limit, so there is no use in trying again at once. */
  readonly waitedInVain?: boolean;
}

/** An error of the embedded store in the form of the npm package `sqlite3`, which Sequelize understands. */
export class SqliteError extends Error {
  readonly code: string;
  readonly waitedInVain: boolean;
  /** set by Sequelize */
  sql?: string;

  constructor(code: string, message: string, { waitedInVain = false, ...options }: SqliteErrorOptions = {}) {
    super(`${code}: ${message}`, options);
    this.name = 'SqliteError';
    this.code = code;
    this.waitedInVain = waitedInVain;
  }
}

export function closedError(): SqliteError {
  return new SqliteError('SQLITE_MISUSE', 'the database is closed');
}

/** Translates what `node:sqlite` throws; anything else is left as it is. */
export function toSqliteError(error: unknown): unknown {
  if (!isNativeError(error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const code = constraintCodes[error.errcode] ?? primaryCodes[error.errcode & 0xff] ?? 'SQLITE_ERROR';
  return new SqliteError(code, error.message, { cause: error });
}

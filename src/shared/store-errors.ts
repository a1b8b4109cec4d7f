import { isNativeError } from 'node:util/types';

/** COMMIT failed, and the transaction may have happened or not: only the data can tell. */
export class CommitInDoubt extends Error {
  override readonly name = 'CommitInDoubt';
}

/** Thrown by both stores' drivers, alone or as the `parent` of one of Sequelize's own errors. */
interface DriverError {
  readonly code: string;
  readonly errno: number;
  readonly waitedInVain: boolean;
}

const duplicateKeyErrnos = new Set([1062, 1586]);
const checkErrnos = new Set([3819, 4025]);
/** lock wait timeout, deadlock, snapshot conflict */
const conflictErrnos = new Set([1205, 1213, 1020]);
/** the server was started, or has become, one that only reads */
const readerErrnos = new Set([1290, 1836]);
const storeDownErrnos = new Set([
  1021, 1040, 1041, 1053, 1077, 1114, 1180, 1203, 1226, 1290, 1317, 1836, 1927, 1969, 2006, 2013, 3024, 3169, 3572, 4031,
]);
// `EE_…`: what the server itself could not read or write, such as a temporary file on a full disk
const storeDownCodes =
  /^(EE_|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|ESOCKET|PROTOCOL_|POOL_|SQLITE_(BUSY|LOCKED|FULL|READONLY|IOERR|CANTOPEN|PROTOCOL|NOMEM|CORRUPT|NOTADB|ABORT))/;
const storeDownNames =
  /^Sequelize(Connection|AccessDenied|HostNotFound|HostNotReachable|InvalidConnection|ConnectionAcquireTimeout|Timeout)/;

/** A unique index or primary key refused the row. */
export function isDuplicateKey(error: unknown): boolean {
  const { code, errno } = driverError(error);
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || duplicateKeyErrnos.has(errno);
}

/** A CHECK constraint refused the row. */
export function isCheckViolation(error: unknown): boolean {
  const { code, errno } = driverError(error);
  return code === 'SQLITE_CONSTRAINT_CHECK' || checkErrnos.has(errno);
}

/** The store can't be reached, is too busy, full or read-only, or left a COMMIT in doubt: the caller answers 503. */
export function isStoreDown(error: unknown): boolean {
  if (error instanceof CommitInDoubt) return true;
  const { code, errno } = driverError(error);
  if (storeDownCodes.test(code) || storeDownErrnos.has(errno) || conflictErrnos.has(errno)) return true;
  return isNativeError(error) && storeDownNames.test(error.name);
}

/** The server only reads: after a failover another one writes, to which a new connection leads. */
export function isReader(error: unknown): boolean {
  return readerErrnos.has(driverError(error).errno);
}

/**
 * The transaction lost a race and may be run again from BEGIN. A wait that already took its whole deadline is not repeated:
 * it would make a stuck writer look three times as slow.
 */
export function isConflict(error: unknown): boolean {
  const { code, errno, waitedInVain } = driverError(error);
  return (code === 'SQLITE_BUSY' && !waitedInVain) || conflictErrnos.has(errno);
}

function driverError(error: unknown): DriverError {
  const parent = isNativeError(error) && 'parent' in error && isNativeError(error.parent) ? error.parent : error;
  if (!isNativeError(parent)) return { code: '', errno: 0, waitedInVain: false };
  const code = 'code' in parent && typeof parent.code === 'string' ? parent.code : '';
  const errno = 'errno' in parent && typeof parent.errno === 'number' ? parent.errno : 0;
  // SQLite counts its results in the same small numbers, so they are told apart by the code alone
  return {
    code,
    errno: code.startsWith('SQLITE_') ? 0 : errno,
    waitedInVain: 'waitedInVain' in parent && parent.waitedInVain === true,
  };
}

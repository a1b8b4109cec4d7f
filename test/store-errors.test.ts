import { isCheckViolation, isDuplicateKey, isStoreDown } from '../src/shared/database.ts';
import { isConflict } from '../src/shared/store-errors.ts';

/** Errors as the driver of MySQL throws them, with the numbers of MySQL 8 and of MariaDB. */
const thrown = (code: string, errno: number) => Object.assign(new Error(code), { code, errno });

it.each([
  ['ER_DUP_ENTRY', 1062, 'duplicate'],
  ['ER_DUP_ENTRY_WITH_KEY_NAME', 1586, 'duplicate'],
  ['ER_CHECK_CONSTRAINT_VIOLATED', 3819, 'check'],
  ['ER_CONSTRAINT_FAILED', 4025, 'check'],
  ['ER_LOCK_DEADLOCK', 1213, 'conflict'],
  ['ER_LOCK_WAIT_TIMEOUT', 1205, 'conflict'],
  ['ER_CHECKREAD', 1020, 'conflict'],
  ['ER_QUERY_TIMEOUT', 3024, 'down'],
  ['ER_STATEMENT_TIMEOUT', 1969, 'down'],
  ['ER_CLIENT_INTERACTION_TIMEOUT', 4031, 'down'],
  ['ER_OPTION_PREVENTS_STATEMENT', 1290, 'down'],
  ['ER_RECORD_FILE_FULL', 1114, 'down'],
  ['EE_WRITE', 3, 'down'],
  ['EE_DELETE', 6, 'down'],
  ['EE_DISK_FULL', 20, 'down'],
  ['ER_PARSE_ERROR', 1064, 'ours'],
  ['ER_NO_SUCH_TABLE', 1146, 'ours'],
  ['ER_DATA_TOO_LONG', 1406, 'ours'],
] as const)('%s (%d) is %s', (code, errno, kind) => {
  const error = thrown(code, errno);
  const found = {
    duplicate: isDuplicateKey(error),
    check: isCheckViolation(error),
    conflict: isConflict(error),
    down: isStoreDown(error),
  };
  expect(found).toEqual({
    duplicate: kind === 'duplicate',
    check: kind === 'check',
    conflict: kind === 'conflict',
    down: kind === 'down' || kind === 'conflict',
  });
});

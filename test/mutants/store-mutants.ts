import { embedded, type Mutant, services } from './mutant.ts';

const mysql = 'src/shared/mysql-database.ts';
const errors = 'src/shared/store-errors.ts';
const deadlock = services(
  'row-locks',
  'two transactions that want what the other one holds both come to their end, because the one that was undone begins anew',
);

/** A transaction happens as a whole or not at all, and nobody waits for ever. */
export const storeMutants: readonly Mutant[] = [
  {
    guard: 'an answer of DynamoDB that stops in the middle has a limit',
    file: 'src/shared/dynamo.ts',
    text: ' socketTimeout: 1000,',
    mutation: '',
    noticedBy: [
      embedded(
        'account-store-outage',
        'an endpoint of DynamoDB that stops in the middle of an answer is unavailable in bounded time',
      ),
    ],
  },
  {
    guard: 'a request to DynamoDB looks for no package',
    file: 'src/shared/dynamo.ts',
    text: '  setUndefinedPackage(optionalLogger);\n',
    mutation: '',
    noticedBy: [embedded('dynamo-collection', 'a table looks for no package while it is asked')],
  },
  {
    guard: 'an answer of SQS that stops in the middle has a limit',
    file: 'src/shared/sqs-queue.ts',
    text: ' socketTimeout: 1000,',
    mutation: '',
    noticedBy: [
      embedded('queue-outage', 'a queue that stops in the middle of an answer is down, instead of holding up the relay for ever'),
    ],
  },
  {
    guard: 'rows of stock are changed in the order of their ids',
    file: 'src/modules/catalog/stock-changes.ts',
    text: '.sort(([one], [other]) => (one < other ? -1 : 1))',
    mutation: '',
    noticedBy: [
      services('row-locks', 'the stock of several products is changed in the order of their ids, whatever order they came in'),
    ],
  },
  {
    guard: 'a change of stock locks the rows that it changes and no others',
    file: 'src/modules/catalog/stock-changes.ts',
    text: ' FORCE INDEX (PRIMARY)',
    mutation: '',
    noticedBy: [
      services(
        'row-locks',
        'the stock of several products is changed without a look at any other product, however few there are',
      ),
    ],
  },
  {
    guard: 'rows of stock are locked for a reservation in the order of their ids',
    file: 'src/modules/catalog/reserve.ts',
    text: 'const ids = idsParam(productIds);',
    mutation: 'const ids = idsParam(productIds.toReversed());',
    noticedBy: [services('row-locks', 'the stock of several products is locked for a reservation in the same order')],
  },
  {
    guard: 'rows of stock are locked before a reservation is decided',
    file: 'src/modules/catalog/reserve.ts',
    text: "'product_id')}${forUpdate(tx)}",
    mutation: "'product_id')}",
    noticedBy: [services('row-locks', 'the stock of several products is locked for a reservation in the same order')],
  },
  {
    guard: 'a settlement locks the reservations that it decides about',
    file: 'src/modules/catalog/settle-reservation.ts',
    text: 'lookUpReservations(tx, ids, { lock: true })',
    mutation: 'lookUpReservations(tx, ids, { lock: false })',
    noticedBy: [
      services('row-locks', 'a settlement waits for another one of the same reservation, and then decides on what became of it'),
    ],
  },
  {
    guard: 'a transaction that a deadlock has undone begins anew (1213)',
    file: errors,
    text: 'new Set([1205, 1213, 1020])',
    mutation: 'new Set([1205, 1020])',
    noticedBy: [deadlock],
  },
  {
    guard: 'a transaction that waited too long for a lock begins anew (1205)',
    file: errors,
    text: 'new Set([1205, 1213, 1020])',
    mutation: 'new Set([1213, 1020])',
    noticedBy: [
      services('mysql-limits', 'a transaction that waits for a row is tried again as a whole when the wait took too long'),
    ],
  },
  {
    guard: 'it is the whole transaction that begins anew',
    file: 'src/shared/transaction-retry.ts',
    text: 'if (retries === maxRetries || !isConflict(error) || timeLeftMs() === 0) throw error;',
    mutation: 'throw error;',
    noticedBy: [embedded('embedded-sql', 'a transaction that lost a race runs again as a whole'), deadlock],
  },
  {
    guard: 'a transaction is not tried again without end',
    file: 'src/shared/transaction-retry.ts',
    text: 'retries === maxRetries || ',
    mutation: '',
    noticedBy: [embedded('embedded-sql', 'a transaction that lost a race gives up after the third repetition')],
  },
  {
    guard: 'a conflict that does not end is a store that is down, and no fault of ours',
    file: errors,
    text: ' || conflictErrnos.has(errno)) return true;',
    mutation: ') return true;',
    noticedBy: [
      services('mysql-limits', 'a row that is never let go is a store that is down, once the wait was tried again in vain'),
    ],
  },
  {
    guard: 'a lock timeout that somebody swallows undoes all of its transaction',
    file: mysql,
    text: 'if (isStoreDown(error)) fatal ??= error;',
    mutation: '',
    noticedBy: [
      services('mysql-limits', 'a row that is never let go undoes all of a transaction, also when it swallows the error'),
    ],
  },
  {
    guard: 'the server ends a statement that takes too long',
    file: mysql,
    text: 'statementLimit(connection, statementTimeoutMs)',
    mutation: 'statementLimit(connection, noLimit)',
    noticedBy: [services('mysql-limits', 'a statement that takes too long does not go on inside the server')],
  },
  {
    guard: 'a fresh transaction does not wait for the pool',
    file: mysql,
    text: 'fresh || unhurried ? poolOf(single) : shared;',
    mutation: 'unhurried ? poolOf(single) : shared;',
    noticedBy: [
      services('claim-races', 'a void claim does not wait for a connection of the pool: those may all be waiting for it'),
    ],
  },
  {
    guard: 'a COMMIT that failed on the way is in doubt on the embedded store',
    file: 'src/shared/sqlite-database.ts',
    text: "if (connection.outcome === 'unknown')",
    mutation: 'if (connection.outcome === undefined)',
    noticedBy: [
      embedded('embedded-sql', 'a COMMIT that fails is in doubt when the disk failed on the way, and is not run again'),
    ],
  },
  {
    guard: 'the embedded store writes through to the disk',
    file: 'src/shared/sqlite-store.ts',
    text: 'PRAGMA synchronous = FULL;',
    mutation: 'PRAGMA synchronous = OFF;',
    noticedBy: [embedded('embedded-sql-file', 'the file is written through to the disk at every commit')],
  },
  {
    guard: 'migrations run under a lock',
    file: 'src/shared/migrations.ts',
    text: 'await takeLock(tx);',
    mutation: '',
    noticedBy: [services('migrations', 'migrating runs each step once when several processes start together')],
  },
  {
    guard: 'identifiers compare exactly on MySQL',
    file: 'src/shared/column-types.ts',
    text: 'utf8mb4_bin`,',
    mutation: 'utf8mb4_general_ci`,',
    noticedBy: [services('exact-names', 'names that differ in case alone are two skus')],
  },
  {
    guard: 'a SQL parameter is a string, a safe integer or null',
    file: 'src/shared/sql.ts',
    text: 'if (!Number.isSafeInteger(param))',
    mutation: 'if (param === undefined)',
    noticedBy: [embedded('embedded-sql-values', 'values are scalars: objects and arrays are refused')],
  },
  {
    guard: 'DynamoDB puts an item only where there is none',
    file: 'src/shared/dynamo-collection.ts',
    text: '{ overwrite: false }',
    mutation: '{ overwrite: true }',
    noticedBy: [
      embedded('dynamo-collection', 'a table takes an item whose key is free, once'),
      services('accounts', 'signing up lets one of thirty have a name, and refuses the others'),
    ],
  },
  {
    guard: 'DynamoDB never makes an item by changing one',
    file: 'src/shared/dynamo-collection.ts',
    text: 'exists: [hashKey, ...(condition.exists ?? [])]',
    mutation: 'exists: condition.exists ?? []',
    noticedBy: [embedded('dynamo-collection', 'a table never makes an item by changing one that is not there')],
  },
  {
    guard: 'DynamoDB compares what a condition wants to be equal',
    file: 'src/shared/dynamo-collection.ts',
    text: 'for (const [attribute, value] of Object.entries(equals)) condition = condition.where(attribute).eq(value);',
    mutation: 'void equals;',
    noticedBy: [embedded('dynamo-collection', 'a table changes an item when every part of the condition holds')],
  },
  {
    guard: 'DynamoDB refuses what a condition wants to be absent',
    file: 'src/shared/dynamo-collection.ts',
    text: 'for (const attribute of absent) condition = condition.where(attribute).not().exists();',
    mutation: 'void absent;',
    noticedBy: [embedded('dynamo-collection', 'a table changes an item when every part of the condition holds')],
  },
  {
    guard: 'DynamoDB compares what a condition wants to be below',
    file: 'src/shared/dynamo-collection.ts',
    text: 'for (const [attribute, value] of Object.entries(below)) condition = condition.where(attribute).lt(value);',
    mutation: 'void below;',
    noticedBy: [embedded('dynamo-collection', 'a table changes an item when every part of the condition holds')],
  },
  {
    guard: 'what DynamoDB fails to do is a store that is down, and no fault of ours',
    file: 'src/shared/dynamo-error.ts',
    text: 'return isServiceAnswer(error) && !isRefused(error) && !ourFaults.has(name);',
    mutation: 'return false;',
    noticedBy: [
      embedded(
        'account-store-outage',
        'while the store of the accounts is down (throttling) whatever needs it answers 503, and tokens go on',
      ),
    ],
  },
  {
    guard: 'a column that is there is not added again',
    file: 'src/shared/column-types.ts',
    text: 'if (!found.some(({ name }) => name === column)) await',
    mutation: 'void found; await',
    noticedBy: [
      embedded('migrations', 'a column is added once, however often its step runs, and empty in the rows that are there'),
      services('migrations', 'a column is added once, however often its step runs, and empty in the rows that are there'),
    ],
  },
];

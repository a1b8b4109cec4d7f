export { openMysql } from './mysql-database.ts';
export {
  byIndex,
  type Database,
  forUpdate,
  idsParam,
  type Param,
  placeholders,
  rowsOfIds,
  type Sql,
  type SqlTransaction,
  type TransactionOptions,
} from './sql.ts';
export { openSqlite } from './sqlite-database.ts';
export { CommitInDoubt, isCheckViolation, isDuplicateKey, isStoreDown } from './store-errors.ts';

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Overrides } from '../../src/app-modules.ts';
import type { Database, Param, Sql } from '../../src/shared/database.ts';
import type { Dynamo } from '../../src/shared/dynamo.ts';

export interface Statement {
  readonly sql: string;
  readonly params: readonly Param[];
}

/** What is asked of the stores of a shop while this stands between them, in the order of asking. */
export interface Notes {
  /** without BEGIN and COMMIT */
  readonly statements: Statement[];
  /** what wanted a connection while its caller held one in a transaction: all callers at once would wait for each other */
  readonly nested: string[];
  /** `Query Sessions`: the call and the table, without the prefix; the names of AWS's API */
  readonly requests: string[];
  /** the stores themselves, once a shop was started on them */
  readonly stores: () => { readonly db: Database; readonly dynamo: Dynamo };
  readonly wrap: NonNullable<Overrides['wrapStores']>;
}

/** Set for whatever is called by the work of a transaction. */
const inTransaction = new AsyncLocalStorage<true>();

export function takeNotes(): Notes {
  const statements: Statement[] = [];
  const nested: string[] = [];
  const requests: string[] = [];
  let stores: { readonly db: Database; readonly dynamo: Dynamo } | undefined;
  return {
    statements,
    nested,
    requests,
    stores: () => {
      if (stores === undefined) throw new Error('no shop was started yet');
      return stores;
    },
    wrap: ({ db, dynamo }) => {
      if (db === undefined || dynamo === undefined) throw new Error('a shop that has not all modules');
      stores = { db, dynamo };
      noteRequests(dynamo, requests);
      return { db: noteStatements(db, statements, nested), dynamo };
    },
  };
}

/** The same store, which notes every statement: those of the module's own SQL and those that Sequelize makes of its models. */
export function noteStatements(db: Database, statements: Statement[], nested: string[] = []): Database {
  const noteNested = (sql: string) => {
    if (inTransaction.getStore()) nested.push(sql);
  };
  noteModels(db, statements, noteNested);
  return {
    ...noted(db, (statement) => {
      statements.push(statement);
      noteNested(statement.sql);
    }),
    transaction: (work, options) => {
      noteNested('BEGIN');
      const inside = (statement: Statement) => void statements.push(statement);
      return db.transaction((tx) => inTransaction.run(true, () => work(noted(tx, inside))), options);
    },
  };
}

function noted<S extends Sql>(sql: S, note: (statement: Statement) => void): S {
  return {
    ...sql,
    rows: (text: string, params: readonly Param[] = []) => {
      note({ sql: text, params });
      return sql.rows(text, params);
    },
    run: (text: string, params: readonly Param[] = []) => {
      note({ sql: text, params });
      return sql.run(text, params);
    },
  };
}

/** Sequelize's log is a line such as `Executing (default): UPDATE t SET a=? WHERE id = ?; "x", "y"`. */
function noteModels({ sequelize }: Database, statements: Statement[], noteNested: (sql: string) => void): void {
  // which Sequelize does not declare
  const { options } = sequelize as typeof sequelize & { options: object };
  Object.assign(options, {
    logQueryParameters: true,
    logging: (line: string, { transaction }: { transaction?: unknown }) => {
      const [, sql = line, params = ''] = /^Executing \([^)]*\): ([^;]*);? ?(.*)$/s.exec(line) ?? [];
      const bound: (Param | Record<string, Param>)[] = JSON.parse(`[${params}]`);
      // MySQL is given a list, SQLite an object with the names `$1`, `$2`, …
      const flat = bound.flatMap((param) => (typeof param === 'object' && param !== null ? Object.values(param) : [param]));
      statements.push({ sql: sql.replace(/\$\d+/g, '?'), params: flat });
      if (transaction === undefined) noteNested(sql);
    },
  });
}

function noteRequests({ client, tablePrefix }: Dynamo, requests: string[]): void {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        const { TableName = '' } = args.input as { TableName?: string }; // every call that the shop makes has one, or none
        requests.push(`${commandName.replace(/Command$/, '')} ${TableName.replace(tablePrefix, '')}`);
        return next(args);
      },
    { step: 'initialize', name: 'notes' },
  );
}

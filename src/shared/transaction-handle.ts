import { type Sequelize, Transaction } from 'sequelize';

/** What Sequelize keeps in a transaction and does not declare; it reads both when a model is given the transaction. */
interface Internals {
  connection: unknown;
  finished: 'commit' | 'rollback' | undefined;
}

export interface TransactionHandle {
  /** what models take as `{ transaction }` */
  readonly handle: Transaction;
  /** Sequelize has ended it by itself, as it does after a deadlock. */
  ended(): boolean;
  /** From now on Sequelize refuses to run anything in it. */
  end(how: 'commit' | 'rollback'): void;
}

/**
 * A transaction for Sequelize's models on a connection where it has begun already. BEGIN and COMMIT through Sequelize itself cost
 * three times the CPU of a small transaction, and a COMMIT that failed is printed to the console.
 */
export function transactionHandle(sequelize: Sequelize, connection: unknown): TransactionHandle {
  const handle = new Transaction(sequelize, {}) as Transaction & Internals; // see there
  handle.connection = connection;
  return {
    handle,
    ended: () => handle.finished !== undefined,
    end: (how) => {
      handle.finished = how;
    },
  };
}

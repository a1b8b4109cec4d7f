import { chmodSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FifoGate } from './fifo-gate.ts';
import { closedError, SqliteError } from './sqlite-error.ts';
import type { SqliteParams, SqliteResult } from './sqlite-handle.ts';
import { SqliteHandle } from './sqlite-handle.ts';

export interface SqliteStoreOptions {
  readonly file: string;
  readonly readOnly: boolean;
  /** how long a statement or transaction waits for its turn, and for a lock of another process */
  readonly acquireTimeoutMs: number;
}

/** What is known about a transaction. `unknown` follows a COMMIT that failed and left nothing to roll back. */
export type Outcome = 'open' | 'committed' | 'rolled-back' | 'unknown';

export interface SqliteTransaction {
  readonly outcome: Outcome;
  execute(sql: string, params?: SqliteParams): SqliteResult;
  commit(): void;
  /** Does nothing when the transaction has ended. */
  rollback(): void;
}

const maxSnapshots = 8;
const maxIdleSnapshots = 2;
const maxBusyPauseMs = 20;

const writerSettings = `
  PRAGMA journal_mode = WAL;
  PRAGMA journal_size_limit = 67108864;
`;
const settings = `
  PRAGMA synchronous = FULL;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -16000;
`;

/**
 * One database file, shared by everybody in the process: one handle that writes, which a transaction has to itself, one that
 * reads what is committed, and a few for snapshots. All of them block the event loop for as long as SQLite works.
 */
export class SqliteStore {
  readonly #options: SqliteStoreOptions;
  readonly #writeGate: FifoGate;
  readonly #snapshotGate: FifoGate;
  readonly #idleSnapshots: SqliteHandle[] = [];
  #writer: SqliteHandle | undefined;
  #reader: SqliteHandle;
  #closed = false;

  private constructor(options: SqliteStoreOptions, writer: SqliteHandle | undefined, reader: SqliteHandle) {
    this.#options = options;
    this.#writer = writer;
    this.#reader = reader;
    this.#writeGate = new FifoGate(1, (waitedMs) =>
      busyError(`no turn to write within ${waitedMs} ms: another transaction is still open, perhaps one around this statement`),
    );
    this.#snapshotGate = new FifoGate(maxSnapshots, (waitedMs) =>
      busyError(`no turn for a snapshot within ${waitedMs} ms: ${maxSnapshots} are open`),
    );
  }

  static async open(options: SqliteStoreOptions): Promise<SqliteStore> {
    const { acquireTimeoutMs } = options;
    const writer = options.readOnly ? undefined : await untilFree(acquireTimeoutMs, () => openHandle(options.file, 'writer'));
    const reader = await untilFree(acquireTimeoutMs, () => openHandle(options.file, 'reader'));
    return new SqliteStore(options, writer, reader);
  }

  /** One statement on its own: a query sees what is committed, a write waits for its turn and is committed when this resolves. */
  async execute(sql: string, params?: SqliteParams): Promise<SqliteResult> {
    if (isRead(sql)) return this.#waiting(() => this.#openReader().execute(sql, params));
    return this.#writing((writer) => writer.execute(sql, params));
  }

  /** The one transaction that writes; it has to be ended, as nobody else may write until then. */
  async begin(): Promise<SqliteTransaction> {
    const release = await this.#writeGate.acquire(this.#options.acquireTimeoutMs);
    try {
      const writer = this.#openWriter();
      await this.#waiting(() => writer.execute('BEGIN IMMEDIATE'));
      return transactionOn(writer, () => {
        this.#discardBrokenWriter();
        release();
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A transaction that sees the store as it is now, whatever is committed meanwhile, and refuses to write. */
  async beginSnapshot(): Promise<SqliteTransaction> {
    const release = await this.#snapshotGate.acquire(this.#options.acquireTimeoutMs);
    let handle: SqliteHandle | undefined;
    try {
      handle = this.#idleSnapshots.pop() ?? (await this.#waiting(() => openHandle(this.#options.file, 'reader')));
      const snapshot = handle;
      snapshot.execute('BEGIN DEFERRED');
      // BEGIN alone fixes nothing: the first read does
      await this.#waiting(() => snapshot.execute('SELECT 1 FROM sqlite_schema LIMIT 1'));
      return transactionOn(snapshot, () => {
        this.#keepSnapshot(snapshot);
        release();
      });
    } catch (error) {
      handle?.close();
      release();
      throw error;
    }
  }

  /** Waits for the write under way, refuses those that wait behind it, closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#writeGate.close(closedError());
    this.#snapshotGate.close(closedError());
    await this.#writeGate.drained(this.#options.acquireTimeoutMs);
    for (const handle of this.#idleSnapshots.splice(0)) handle.close();
    this.#reader.close();
    this.#writer?.close();
  }

  async #writing<T>(work: (writer: SqliteHandle) => T): Promise<T> {
    const release = await this.#writeGate.acquire(this.#options.acquireTimeoutMs);
    try {
      const writer = this.#openWriter();
      return await this.#waiting(() => work(writer));
    } finally {
      this.#discardBrokenWriter();
      release();
    }
  }

  #waiting<T>(work: () => T): Promise<T> {
    return untilFree(this.#options.acquireTimeoutMs, work);
  }

  #openReader(): SqliteHandle {
    if (this.#closed) throw closedError();
    return this.#reader;
  }

  #openWriter(): SqliteHandle {
    if (this.#options.readOnly) throw new SqliteError('SQLITE_READONLY', 'this database was opened to be read only');
    this.#writer ??= openHandle(this.#options.file, 'writer');
    return this.#writer;
  }

  /** A writer that could not even roll back would carry its transaction into the next one. */
  #discardBrokenWriter(): void {
    if (!this.#writer?.inTransaction) return;
    this.#writer.close();
    this.#writer = undefined;
  }

  #keepSnapshot(handle: SqliteHandle): void {
    if (this.#closed || handle.inTransaction || this.#idleSnapshots.length >= maxIdleSnapshots) handle.close();
    else this.#idleSnapshots.push(handle);
  }
}

function openHandle(file: string, role: 'writer' | 'reader'): SqliteHandle {
  const handle = new SqliteHandle(file, { readOnly: role === 'reader' });
  try {
    // before the first write: the files of the write-ahead log take the mode of this one
    if (role === 'writer') chmodSync(file, 0o600);
    handle.executeScript(role === 'writer' ? writerSettings + settings : settings);
    return handle;
  } catch (error) {
    handle.close();
    throw error;
  }
}

function transactionOn(handle: SqliteHandle, ended: () => void): SqliteTransaction {
  let outcome: Outcome = 'open';
  const end = (how: Outcome) => {
    outcome = how;
    ended();
  };
  const rollback = () => {
    if (outcome !== 'open') return;
    try {
      if (handle.inTransaction) handle.execute('ROLLBACK');
    } finally {
      end('rolled-back');
    }
  };
  // A full disk makes SQLite roll back by itself; the next statement would then be a transaction of its own.
  const mustBeOpen = () => {
    if (outcome !== 'open') throw new SqliteError('SQLITE_MISUSE', 'the transaction has ended');
    if (!handle.inTransaction) throw new SqliteError('SQLITE_ABORT', 'the transaction was rolled back by an earlier error');
  };
  return {
    get outcome() {
      return outcome;
    },
    execute(sql, params) {
      mustBeOpen();
      return handle.execute(sql, params);
    },
    commit() {
      try {
        mustBeOpen();
      } catch (error) {
        rollback();
        throw error;
      }
      try {
        handle.execute('COMMIT');
      } catch (error) {
        if (handle.inTransaction) rollback();
        else end('unknown');
        throw error;
      }
      end('committed');
    },
    rollback,
  };
}

/** Tries again while another process has the lock, without blocking the event loop as SQLite's own busy timeout would. */
async function untilFree<T>(timeoutMs: number, work: () => T): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, maxBusyPauseMs)) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SqliteError) || error.code !== 'SQLITE_BUSY') throw error;
      if (performance.now() + pauseMs > deadline) throw busyError('database is locked by another process', error);
      await sleep(pauseMs);
    }
  }
}

function busyError(message: string, cause?: unknown): SqliteError {
  return new SqliteError('SQLITE_BUSY', message, { waitedInVain: true, cause });
}

const firstWord = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*([a-z]+)/i;
const writesInside = /\b(?:insert|update|delete|replace)\b/i;
const writingPragma = /=|\b(?:wal_checkpoint|optimize|incremental_vacuum)\b/i;

/** Errs on the side of writing; a write that slips through is refused by the reader, which can only read. */
function isRead(sql: string): boolean {
  const word = firstWord.exec(sql)?.[1]?.toLowerCase();
  if (word === 'select' || word === 'explain' || word === 'values') return true;
  if (word === 'with') return !writesInside.test(sql);
  return word === 'pragma' && !writingPragma.test(sql);
}

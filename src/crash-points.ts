import type { RequestListener } from 'node:http';
import type { CrashPoint, CrashSetting } from './shared/crash-setting.ts';
import type { Database, Sql } from './shared/database.ts';

/**
 * For the tests of recovery alone: ends this process at a named step of an order, as a power cut would. The steps are told by
 * the statements that they send, so the modules know nothing of this, and without the setting none of it is there.
 */
export interface Crashing {
  database(db: Database): Database;
  handler(handler: RequestListener): RequestListener;
}

/** Where a point lies in what a process sends to its database. */
interface Spot {
  readonly when: 'before' | 'after' | 'before commit' | 'after commit';
  readonly statement: RegExp;
}

const reserving = /^INSERT INTO catalog_reservation_lines\b/;
const claiming = /^INSERT INTO orders_claims \(reservation_id, kind, order_id/;
const voiding = /^INSERT INTO orders_claims \(reservation_id, kind, created_at/;
const orderRow = /^INSERT INTO orders_orders\b/;
const lines = /^INSERT INTO orders_lines\b/;
const outbox = /^INSERT INTO orders_outbox\b/;
const leasing = /^UPDATE orders_outbox SET leased_by = \?/;
const marking = /^UPDATE orders_outbox SET published_at\b/;
const settling = /^UPDATE catalog_reservations SET state\b/;
const confirming = /^UPDATE orders_orders SET status\b/;

const spots: Readonly<Record<Exclude<CrashPoint, 'before-reply'>, Spot>> = {
  'before-reserve': { when: 'before', statement: reserving },
  'before-reserve-commit': { when: 'before commit', statement: reserving },
  'after-reserve-commit': { when: 'after commit', statement: reserving },
  'before-claim': { when: 'before', statement: claiming },
  'after-claim': { when: 'after', statement: claiming },
  'after-order-row': { when: 'after', statement: orderRow },
  'after-lines': { when: 'after', statement: lines },
  'after-outbox': { when: 'after', statement: outbox },
  'before-order-commit': { when: 'before commit', statement: orderRow },
  'after-order-commit': { when: 'after commit', statement: orderRow },
  'before-lease': { when: 'before', statement: leasing },
  'before-publish': { when: 'after', statement: leasing },
  'after-publish': { when: 'before', statement: marking },
  'after-mark-published': { when: 'after', statement: marking },
  'before-settle-commit': { when: 'before commit', statement: settling },
  'after-settle-commit': { when: 'after commit', statement: settling },
  'before-confirm': { when: 'before', statement: confirming },
  'before-confirm-commit': { when: 'before commit', statement: confirming },
  'after-confirm-commit': { when: 'after commit', statement: confirming },
  'before-void-commit': { when: 'before commit', statement: voiding },
  'after-void-commit': { when: 'after commit', statement: voiding },
};

export function createCrashing(setting: CrashSetting | undefined): Crashing {
  if (setting === undefined) return { database: (db) => db, handler: (handler) => handler };
  const { point } = setting;
  let left = setting.occurrence;
  const reached = async (): Promise<void> => {
    left -= 1;
    if (left === 0) await endHere();
  };
  if (point === 'before-reply') {
    return { database: (db) => db, handler: (handler) => beforeReply(handler, reached) };
  }
  return { database: (db) => watched(db, spots[point], reached), handler: (handler) => handler };
}

function watched(db: Database, { when, statement }: Spot, reached: () => Promise<void>): Database {
  const observing = (sql: Sql, onMatch: () => void): Pick<Sql, 'rows' | 'run'> => {
    const around = async <T>(text: string, send: () => Promise<T>): Promise<T> => {
      const matches = statement.test(text);
      if (matches) onMatch();
      if (matches && when === 'before') await reached();
      const answer = await send();
      if (matches && when === 'after') await reached();
      return answer;
    };
    return {
      rows: (text, params) => around(text, () => sql.rows(text, params)),
      run: (text, params) => around(text, () => sql.run(text, params)),
    };
  };
  return {
    ...db,
    ...observing(db, () => undefined),
    transaction: async (work, options) => {
      let matched = false;
      const result = await db.transaction(async (tx) => {
        matched = false;
        const done = await work({ ...tx, ...observing(tx, () => (matched = true)) });
        if (matched && when === 'before commit') await reached();
        return done;
      }, options);
      if (matched && when === 'after commit') await reached();
      return result;
    },
  };
}

/** Everything is done and nobody has been told. */
function beforeReply(handler: RequestListener, reached: () => Promise<void>): RequestListener {
  return (request, response) => {
    const writeHead = response.writeHead.bind(response);
    // Node itself calls this before the first byte of every answer
    response.writeHead = ((...args: Parameters<typeof writeHead>) => {
      if (request.method === 'POST' && request.url === '/api/orders' && response.statusCode === 201) void reached();
      return writeHead(...args);
    }) as typeof writeHead;
    return handler(request, response);
  };
}

function endHere(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

import type { Database } from '../../shared/database.ts';
import { newId } from '../../shared/identifier.ts';
import { databaseClock } from '../../shared/sql-clock.ts';

/** The right to audit: one process of all has it at a time. */
export interface AuditTurn {
  /** Says that the audit goes on. @throws when another process has the turn by now */
  keep(): Promise<void>;
  /** Ends it; `unfinished` lets the next process begin at once. */
  end(how: 'finished' | 'unfinished'): Promise<void>;
}

/** how long a process that died keeps the others from auditing */
const leaseMs = 300_000;
const keptEveryMs = 30_000;
const never = '1970-01-01 00:00:00.000';

/**
 * Takes the turn if the last one began at least `everyMs` ago, on the database's clock, and nobody has it. One guarded UPDATE,
 * so of any number of processes one gets it. Undefined: not now.
 */
export async function takeAuditTurn(db: Database, everyMs: number): Promise<AuditTurn | undefined> {
  const holder = newId();
  const taken = await db.run(
    `UPDATE orders_audit_turn SET started_at = ${databaseClock(db)}, holder = ?, held_until = ${databaseClock(db, leaseMs)}
     WHERE started_at <= ${databaseClock(db, -everyMs)} AND held_until <= ${databaseClock(db)}`,
    [holder],
  );
  if (taken === 0) return undefined;
  let keptAt = performance.now();
  return {
    keep: async () => {
      if (performance.now() - keptAt < keptEveryMs) return;
      keptAt = performance.now();
      const kept = await db.run(
        `UPDATE orders_audit_turn SET held_until = ${databaseClock(db, leaseMs)} WHERE holder = ? AND held_until > ${databaseClock(db)}`,
        [holder],
      );
      if (kept === 0) throw new Error('The audit took too long between two pages and lost its turn.');
    },
    end: async (how) => {
      await db.run(
        `UPDATE orders_audit_turn SET holder = NULL, held_until = ?${how === 'unfinished' ? ', started_at = ?' : ''} WHERE holder = ?`,
        [never, ...(how === 'unfinished' ? [never] : []), holder],
      );
    },
  };
}

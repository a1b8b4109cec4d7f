import type { BackgroundTask } from '../../shared/background.ts';
import type { Database } from '../../shared/database.ts';
import { readBacklog } from './outbox-store.ts';

/** What the outbox looks like right now. */
export interface OutboxGauges {
  /** of the oldest event that waits; 0 when none does */
  readonly ageSeconds: number;
  /** events that were put aside */
  readonly dead: number;
}

/** Looks at the outbox and tells. */
export function outboxGaugesTask({
  db,
  now,
  everyMs,
  onLooked,
}: {
  db: Database;
  now: () => number;
  everyMs: number;
  onLooked: (gauges: OutboxGauges) => void;
}): BackgroundTask {
  return {
    name: 'orders-gauges',
    everyMs,
    run: async () => {
      const { oldestAt, dead } = await readBacklog(db);
      const ageSeconds = oldestAt === undefined ? 0 : Math.max(0, (now() - Date.parse(oldestAt)) / 1000);
      onLooked({ ageSeconds, dead });
      return false;
    },
  };
}

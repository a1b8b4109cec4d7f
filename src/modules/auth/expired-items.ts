import type { BackgroundTask } from '../../shared/background.ts';
import type { DynamoKey } from '../../shared/dynamo-batch.ts';
import type { DynamoPage } from '../../shared/dynamo-collection.ts';
import type { AuthTables } from './auth-tables.ts';

/** Removes what the TTL of DynamoDB would remove, where there is none. Nobody looks at such items any more. */
export function expiredItemsTask({
  tables: { sessions, revocations },
  now,
  everyMs,
}: {
  tables: Pick<AuthTables, 'sessions' | 'revocations'>;
  now: () => number;
  everyMs: number;
}): BackgroundTask {
  return {
    name: 'auth-expired-items',
    everyMs,
    run: async (signal) => {
      const scan = { attribute: 'expires', below: Math.floor(now() / 1000) };
      // A session may have been refreshed since.
      const remove = { below: { expires: scan.below } };
      await forEachPage(signal, async (after) => {
        const page = await sessions.scanBelow({ ...scan, after });
        for (const { session_id } of page.items) await sessions.remove({ session_id }, remove);
        return page;
      });
      await forEachPage(signal, async (after) => {
        const page = await revocations.scanBelow({ ...scan, after });
        for (const { minute, revocation_id } of page.items) await revocations.remove({ minute, revocation_id }, remove);
        return page;
      });
      return false;
    },
  };
}

async function forEachPage(
  signal: AbortSignal,
  work: (after: DynamoKey | undefined) => Promise<DynamoPage<unknown>>,
): Promise<void> {
  let after: DynamoKey | undefined;
  do after = (await work(after)).next;
  while (after !== undefined && !signal.aborted);
}

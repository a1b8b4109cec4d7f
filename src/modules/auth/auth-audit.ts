import type { AuditRun } from '../../shared/audit-run.ts';
import type { Dynamo } from '../../shared/dynamo.ts';
import type { DynamoKey } from '../../shared/dynamo-batch.ts';
import type { DynamoCollection } from '../../shared/dynamo-collection.ts';
import type { Finding } from '../../shared/finding.ts';
import { checkAdmins } from './admin-set-audit.ts';
import type { Doubt } from './audit-doubt.ts';
import { type AuthTables, openAuthTables } from './auth-tables.ts';
import { checkSessions } from './session-audit.ts';
import { checkNames, checkUsers } from './user-audit.ts';

/** What the module lets an auditor see. */
export interface AuthAudit {
  /** Everything in the users' store that breaks an invariant: I-08, I-15, I-31. Reads only. */
  findings(run: AuditRun): AsyncGenerator<Finding>;
  /** The ids of erased users, for modules that kept something about them; in pages that may be empty. */
  goneUsers(run: AuditRun): AsyncGenerator<readonly string[]>;
}

/** For a program that looks at the users beside the servers; it makes no table. */
export async function openAuthAudit(dynamo: Dynamo): Promise<AuthAudit> {
  return createAuthAudit(await openAuthTables({ ...dynamo, createsTables: false }, dynamo.tablePrefix));
}

/**
 * The store knows no snapshot: an item that looks wrong is looked at again later, and counts if it is still so. Each check
 * reads what was written later first, so that a change on its way is no doubt at all.
 */
export function createAuthAudit(tables: AuthTables): AuthAudit {
  return {
    async *findings(run) {
      for (const things of ['users', 'usernames', 'sessions', 'admins']) run.count(things);
      const twice = twiceFor(run);
      for await (const page of pagesOf(tables.users, run)) yield* twice('users', page, (some) => checkUsers(tables, some, run));
      for await (const page of pagesOf(tables.usernames, run))
        yield* twice('usernames', page, (some) => checkNames(tables, some));
      for await (const page of pagesOf(tables.sessions, run))
        yield* twice('sessions', page, (some) => checkSessions(tables, some, run));
      yield* twice('admins', ['admins'], () => checkAdmins(tables, run));
    },
    async *goneUsers(run) {
      for await (const page of pagesOf(tables.users, run, ['state', 'gone'])) yield page.map(({ user_id }) => user_id);
    },
  };
}

function twiceFor(run: AuditRun) {
  return async function* <Item>(
    things: string,
    page: readonly Item[],
    look: (items: readonly Item[]) => Promise<readonly Doubt<Item>[]>,
  ): AsyncGenerator<Finding> {
    if (things !== 'admins') run.count(things, page.length);
    const doubts = await look(page);
    if (doubts.length === 0) return;
    await run.beforeSecondLook();
    for (const { finding } of await look([...new Set(doubts.map(({ item }) => item))])) yield finding;
  };
}

async function* pagesOf<Item extends object>(
  table: DynamoCollection<Item>,
  run: AuditRun,
  equals?: readonly [string, string],
): AsyncGenerator<readonly Item[]> {
  let after: DynamoKey | undefined;
  do {
    const page = await table.scan({ after, ...(equals && { equals }) });
    yield page.items;
    after = page.next;
    await run.breathe();
  } while (after !== undefined);
}

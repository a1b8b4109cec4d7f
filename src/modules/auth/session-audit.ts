import type { AuditRun } from '../../shared/audit-run.ts';
import type { Finding } from '../../shared/finding.ts';
import type { Doubt } from './audit-doubt.ts';
import type { AuthTables, SessionItem, UserItem } from './auth-tables.ts';
import { itemsByKey } from './items-by-key.ts';

/** I-15: a session that could still be refreshed has a user who was not erased, and is no newer than he is. */
export async function checkSessions(
  { users, sessions }: Pick<AuthTables, 'users' | 'sessions'>,
  items: readonly SessionItem[],
  run: AuditRun,
): Promise<readonly Doubt<SessionItem>[]> {
  const live = items.filter(({ expires }) => expires * 1000 > run.now);
  const found = await itemsByKey(
    sessions,
    'session_id',
    live.map((item) => item.session_id),
  );
  const owners = await itemsByKey(
    users,
    'user_id',
    [...found.values()].map((session) => session.user_id),
  );
  return live.flatMap((item) => {
    const session = found.get(item.session_id);
    const fault = session && faultOf(session, owners.get(session.user_id));
    return fault === undefined ? [] : [{ item, finding: fault }];
  });
}

function faultOf(session: SessionItem, user: UserItem | undefined): Finding | undefined {
  const broken = (detail: string): Finding => ({ invariant: 'I-15', subject: `session ${session.session_id}`, detail });
  if (user === undefined || user.state === 'gone')
    return broken(`is of user ${session.user_id}, who ${user === undefined ? 'does not exist' : 'is gone'}`);
  if (session.token > user.token)
    return broken(`is good for change ${session.token} of user ${session.user_id}, who is at ${user.token}`);
  return undefined;
}

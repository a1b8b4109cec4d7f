import type { AuditRun } from '../../shared/audit-run.ts';
import type { Finding } from '../../shared/finding.ts';
import type { Doubt } from './audit-doubt.ts';
import type { AuthTables, SessionItem, UserItem } from './auth-tables.ts';

/** I-15: a session that could still be refreshed has a user who was not erased, and is no newer than he is. */
export async function checkSessions(
  { users, sessions }: Pick<AuthTables, 'users' | 'sessions'>,
  items: readonly SessionItem[],
  run: AuditRun,
): Promise<readonly Doubt<SessionItem>[]> {
  const live = items.filter(({ expires }) => expires * 1000 > run.now);
  const owners = new Map<string, Promise<UserItem | undefined>>();
  const found = await Promise.all(
    live.map(async (item) => {
      const session = await sessions.get({ session_id: item.session_id });
      if (session === undefined) return [];
      const owner = owners.get(session.user_id) ?? users.get({ user_id: session.user_id });
      owners.set(session.user_id, owner);
      const fault = faultOf(session, await owner);
      return fault === undefined ? [] : [{ item, finding: fault }];
    }),
  );
  return found.flat();
}

function faultOf(session: SessionItem, user: UserItem | undefined): Finding | undefined {
  const broken = (detail: string): Finding => ({ invariant: 'I-15', subject: `session ${session.session_id}`, detail });
  if (user === undefined || user.state === 'gone')
    return broken(`is of user ${session.user_id}, who ${user === undefined ? 'does not exist' : 'is gone'}`);
  if (session.token > user.token)
    return broken(`is good for change ${session.token} of user ${session.user_id}, who is at ${user.token}`);
  return undefined;
}

import { Failure } from '../../shared/failure.ts';
import type { AdminSet } from './admin-set.ts';
import type { Revocations } from './revocations.ts';
import type { SessionStore } from './session-store.ts';
import type { User } from './user.ts';
import type { UserChange } from './user-item.ts';
import type { UserStore } from './user-store.ts';

/** What to do about a user as he was just read; undefined: nothing. */
export type Decide = (user: User) => Promise<(UserChange & { readonly leavesAdmins?: boolean }) | undefined>;

export type UserChanges = ReturnType<typeof createUserChanges>;

const maxAttempts = 10;

/**
 * Changes of the password, the roles or the state. Each is one write on the condition of the counter that was read; it
 * raises the counter, so that all sessions and access tokens of before are over, and leaves a mark of what is still to be done:
 * let the session that made the change go on, enter the user into the set of admins, tell every process. The change is
 * answered after that; a worker does it for a process that died.
 */
export function createUserChanges({
  users,
  sessions,
  admins,
  revocations,
}: {
  users: UserStore;
  sessions: SessionStore;
  admins: AdminSet;
  revocations: Revocations;
}) {
  /** Does what a change left to be done. Any number of processes may do it at the same time. */
  const finish = async (user: User): Promise<void> => {
    const { mark, id, token } = user;
    if (mark === undefined) return;
    if (mark.except !== undefined) await sessions.raise(mark.except, token);
    if (mark.joinsAdmins) await admins.join(id, token);
    await revocations.publish({ userId: id, lowestToken: token, ...(mark.except !== undefined && { except: mark.except }) });
    await users.clearMark(user);
  };

  /** A user with no change half done; undefined when there is none, or he is gone. */
  const settled = async (userId: string): Promise<User | undefined> => {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const user = await users.read(userId);
      if (user === undefined || user.state === 'gone') return undefined;
      if (user.mark === undefined) return user;
      await finish(user);
    }
    throw contended();
  };

  /** Decides on the user as he is, again if somebody else was faster. Returns him as he is afterwards. @throws not-found */
  const change = async (userId: string, decide: Decide): Promise<User> => {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const user = await settled(userId);
      if (user === undefined) throw new Failure('not-found');
      const decision = await decide(user);
      if (decision === undefined) return user;
      if (decision.leavesAdmins === true && !(await admins.leave(userId, user.token + 1))) continue;
      const changed = await users.change(user, decision);
      if (changed === undefined) continue;
      await finish(changed);
      return changed;
    }
    throw contended();
  };

  return { change, settled, finish };
}

function contended(): Failure {
  return new Failure('overloaded', { detail: 'The account is being changed by others.', headers: { 'Retry-After': '1' } });
}

import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { roles as knownRoles, type Principal, type Role } from '../../shared/principal.ts';
import { noteSecurity } from '../../shared/security-log.ts';
import type { AdminSet } from './admin-set.ts';
import type { Decide, UserChanges } from './change-user.ts';
import { oneTimePasswordMs } from './limits.ts';
import type { PasswordHasher } from './password-hash.ts';
import { makePassword } from './secrets.ts';
import type { Sessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';
import { isAdmin, type User } from './user.ts';
import type { UserLists } from './user-lists.ts';
import type { UserStore } from './user-store.ts';

export interface AdministrationDependencies {
  readonly users: UserStore;
  readonly lists: UserLists;
  readonly sessions: Sessions;
  readonly changes: UserChanges;
  readonly admins: AdminSet;
  readonly signIn: SignIn;
  readonly hasher: PasswordHasher;
  readonly log: Logger;
  readonly now: () => number;
}

export type UserAdministration = ReturnType<typeof createUserAdministration>;

/** What admins do with the accounts of others. */
export function createUserAdministration({
  users,
  lists,
  sessions,
  changes,
  admins,
  signIn,
  hasher,
  log,
  now,
}: AdministrationDependencies) {
  /** The access token may be older than the end of its session or of its owner's role; a change asks the store. */
  const requireAdmin = async (principal: Principal): Promise<void> => {
    const actor = await sessions.requireLive(principal, await changes.settled(principal.userId));
    if (!isAdmin(actor)) throw new Failure('forbidden');
  };

  const changeAs = (principal: Principal, userId: string, decide: Decide): Promise<User> =>
    changes.change(userId, async (user) => {
      await requireAdmin(principal);
      return decide(user);
    });

  return {
    async list(principal: Principal, limit: number, before: string | undefined) {
      noteSecurity(log, 'users-read', { by: principal.userId });
      return lists.list(limit, before);
    },

    /** @throws not-found */
    async read(principal: Principal, userId: string): Promise<User> {
      noteSecurity(log, 'users-read', { by: principal.userId, userId });
      const user = await users.read(userId);
      if (user === undefined || user.state === 'gone') throw new Failure('not-found');
      return user;
    },

    /** Sets the roles and ends the sessions; nothing happens when they are so already. @throws not-found, last-admin */
    async setRoles(principal: Principal, userId: string, roles: readonly Role[]): Promise<User> {
      const wanted = knownRoles.filter((role) => roles.includes(role));
      const user = await changeAs(principal, userId, async (present) => {
        refuseErasing(present);
        const will = { ...present, roles: wanted };
        const same = present.roles.length === wanted.length && wanted.every((role) => present.roles.includes(role));
        if (same && (!isAdmin(present) || (await admins.has(userId)))) return undefined;
        return { roles: wanted, mark: { joinsAdmins: isAdmin(will) }, leavesAdmins: isAdmin(present) && !isAdmin(will) };
      });
      noteSecurity(log, 'roles-changed', { userId, roles: wanted, by: principal.userId });
      return user;
    },

    /** Brings a deactivated account back; nothing happens when it is active. @throws not-found, illegal-transition */
    async restore(principal: Principal, userId: string): Promise<User> {
      const user = await changeAs(principal, userId, async (present) => {
        refuseErasing(present);
        if (present.state === 'active') return undefined;
        return { state: 'active', mark: { joinsAdmins: present.roles.includes('admin') } };
      });
      noteSecurity(log, 'account-restored', { userId, by: principal.userId });
      return user;
    },

    /** Gives the user a password that signs in once, ends his sessions and forgets his failures. @throws not-found, illegal-transition */
    async resetPassword(
      principal: Principal,
      userId: string,
    ): Promise<{ readonly password: string; readonly expiresAt: number }> {
      const password = makePassword();
      const expiresAt = now() + oneTimePasswordMs;
      let passwordHash: string | undefined;
      const user = await changeAs(principal, userId, async (present) => {
        refuseErasing(present);
        passwordHash ??= await hasher.hash(password);
        return { passwordHash, oneTimeUntil: expiresAt, mark: { joinsAdmins: false } };
      });
      await signIn.clearFailures(user);
      noteSecurity(log, 'password-reset', { userId, by: principal.userId });
      return { password, expiresAt };
    },
  };
}

function refuseErasing({ state }: User): void {
  if (state !== 'erasing') return;
  const members = { from: 'erasing', to: 'active', allowed: [] };
  throw new Failure('illegal-transition', { detail: 'The account is being erased.', members });
}

import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import type { Principal } from '../../shared/principal.ts';
import { noteSecurity } from '../../shared/security-log.ts';
import { unauthenticated } from './bearer.ts';
import type { Decide, UserChanges } from './change-user.ts';
import { deactivationMs } from './limits.ts';
import type { PasswordHasher } from './password-hash.ts';
import { checkNewPassword } from './password-rules.ts';
import type { Registration } from './registration.ts';
import type { Session, SessionStore } from './session-store.ts';
import type { Sessions, Tokens } from './sessions.ts';
import type { SignIn } from './sign-in.ts';
import { isAdmin, type User } from './user.ts';
import type { UserStore } from './user-store.ts';

export interface AccountDependencies {
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly sessionStore: SessionStore;
  readonly changes: UserChanges;
  readonly registration: Registration;
  readonly signIn: SignIn;
  readonly hasher: PasswordHasher;
  readonly passwordMinLength: number;
  /** from the end of an account until the other modules may erase their part: requests under way have ended by then */
  readonly erasureDelayMs: number;
  readonly log: Logger;
  readonly now: () => number;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export type AccountService = ReturnType<typeof createAccountService>;

/** What people do with their own account. */
export function createAccountService(dependencies: AccountDependencies) {
  const { users, sessions, sessionStore, changes, registration, signIn, hasher, passwordMinLength, erasureDelayMs, log, now } =
    dependencies;

  /** A change of one's own account by a live session. */
  const changeOwn = (principal: Principal, decide: Decide) =>
    changes
      .change(principal.userId, async (user) => decide(await sessions.requireLive(principal, user)))
      .catch((error: unknown) => {
        throw error instanceof Failure && error.code === 'not-found' ? unauthenticated() : error;
      });

  return {
    async register({ username, password }: Credentials, device: string): Promise<Tokens> {
      await checkNewPassword(password, { username, minLength: passwordMinLength, pointer: '/password' });
      const user = await registration.makeUser({ username, password, roles: ['customer'] });
      noteSecurity(log, 'registered', { userId: user.id });
      return sessions.begin(user, device);
    },

    async login({ username, password }: Credentials, device: string): Promise<Tokens> {
      const user = await signIn.authenticate(username, password);
      const tokens = await sessions.begin(user, device);
      noteSecurity(log, 'signed-in', { userId: user.id });
      return tokens;
    },

    async logout(principal: Principal, all: boolean): Promise<void> {
      if (all) await changeOwn(principal, async () => ({ mark: { joinsAdmins: false } }));
      else await sessions.endOwn(principal);
      noteSecurity(log, 'signed-out', { userId: principal.userId, all });
    },

    /** One of one's own devices. @throws not-found */
    async endSession(principal: Principal, sessionId: string): Promise<void> {
      if (sessionId === principal.sessionId) await sessions.endOwn(principal);
      else await sessions.endOther(principal, sessionId);
      noteSecurity(log, 'session-ended', { userId: principal.userId, sessionId });
    },

    async changePassword(
      principal: Principal,
      { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
    ): Promise<void> {
      await changeOwn(principal, async (user) => {
        await checkNewPassword(newPassword, { username: user.username, minLength: passwordMinLength, pointer: '/newPassword' });
        await signIn.confirm(user, currentPassword);
        return { passwordHash: await hasher.hash(newPassword), mark: { except: principal.sessionId, joinsAdmins: false } };
      });
      noteSecurity(log, 'password-changed', { userId: principal.userId });
    },

    async erase(principal: Principal, password: string): Promise<void> {
      await changeOwn(principal, async (user) => {
        await signIn.confirm(user, password);
        return { state: 'erasing', eraseAt: now() + erasureDelayMs, mark: { joinsAdmins: false }, leavesAdmins: isAdmin(user) };
      });
      noteSecurity(log, 'account-erased', { userId: principal.userId });
    },

    async deactivate(principal: Principal, password: string): Promise<void> {
      await changeOwn(principal, async (user) => {
        await signIn.confirm(user, password);
        return {
          state: 'deactivated',
          eraseAt: now() + deactivationMs,
          mark: { joinsAdmins: false },
          leavesAdmins: isAdmin(user),
        };
      });
      noteSecurity(log, 'account-deactivated', { userId: principal.userId });
    },

    /** @throws unauthenticated when the account has ended since the token was issued */
    async me({ userId }: Principal): Promise<User> {
      const user = await users.read(userId);
      if (user === undefined || user.state !== 'active') throw unauthenticated();
      return user;
    },

    /** One page of the live sessions of a user, the newest first. */
    async listSessions(
      userId: string,
      page: { limit: number; before?: string | undefined },
    ): Promise<{ sessions: readonly Session[]; next?: string }> {
      const [user, { sessions: found, ...rest }] = await Promise.all([users.read(userId), sessionStore.list(userId, page)]);
      const lowest = user === undefined || user.state !== 'active' ? Number.POSITIVE_INFINITY : user.token;
      return { sessions: found.filter(({ token }) => token >= lowest), ...rest };
    },
  };
}

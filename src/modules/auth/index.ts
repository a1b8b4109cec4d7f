import type { Logger } from 'pino';
import type { BackgroundTask } from '../../shared/background.ts';
import type { Config, Quota } from '../../shared/config.ts';
import type { Dynamo } from '../../shared/dynamo.ts';
import { Failure } from '../../shared/failure.ts';
import type { Authenticate } from '../../shared/http-access.ts';
import type { Module } from '../../shared/module.ts';
import { noteSecurity } from '../../shared/security-log.ts';
import type { SharedCounters } from '../../shared/shared-counters.ts';
import { createAccessTokens } from './access-token.ts';
import { accountRoutes } from './account-routes.ts';
import { createAccountService } from './account-service.ts';
import { createAdminSet } from './admin-set.ts';
import type { Auth, PersonalData } from './auth-api.ts';
import { type AuthAudit, createAuthAudit } from './auth-audit.ts';
import { openAuthTables } from './auth-tables.ts';
import { createBearer } from './bearer.ts';
import { createUserChanges } from './change-user.ts';
import { createErasure, deactivationTask, marksTask } from './erasure.ts';
import { expiredItemsTask } from './expired-items.ts';
import { ensureAdmin } from './first-admin.ts';
import { keyRoutes } from './key-routes.ts';
import { keptMinutes } from './limits.ts';
import { createLoginFailures, type LoginFailures, unlimitedLoginFailures } from './login-failures.ts';
import { createNameStore } from './name-store.ts';
import { createPasswordHasher } from './password-hash.ts';
import { createRefresh } from './refresh-session.ts';
import { createRefreshTokens } from './refresh-token.ts';
import { createRegistration } from './registration.ts';
import { createRevocationStore } from './revocation-store.ts';
import { createRevocations, type Revocations } from './revocations.ts';
import { presentSession, sessionRoutes } from './session-routes.ts';
import { createSessionStore } from './session-store.ts';
import { createSessions } from './sessions.ts';
import { createSharedLoginFailures } from './shared-login-failures.ts';
import { createSignIn } from './sign-in.ts';
import { createStopwatch } from './stopwatch.ts';
import { createUserAdministration } from './user-administration.ts';
import { createUserLists } from './user-lists.ts';
import { userRoutes } from './user-routes.ts';
import { createUserStore } from './user-store.ts';

export { accessKeyId } from './access-token.ts';
export type { Auth } from './auth-api.ts';
export { type AuthAudit, openAuthAudit } from './auth-audit.ts';
export { keyIdOf as refreshKeyId } from './refresh-token.ts';
export { makeJwtKey, makePassword, makePepper, makeRefreshKey } from './secrets.ts';
export { createTokenVerification } from './token-verification.ts';

/** Every method of the contract, for a client that stands in for the module. */
export const authMethods = {
  usersToErase: true,
  erased: true,
  personalData: true,
  revocationsSince: true,
} as const satisfies Record<keyof Auth, true>;

export interface AuthDependencies {
  readonly dynamo: Dynamo;
  readonly keys: {
    /** PKCS#8 PEM of RSA keys; the first signs, all verify */
    readonly jwtPrivateKeys: readonly string[];
    /** newest first */
    readonly refreshKeys: readonly string[];
    readonly passwordPepper: string;
  };
  readonly settings: Pick<Config['auth'], 'passwordMinLength' | 'bcryptCost' | 'admin'>;
  /** wrong passwords for one account; absent: not counted */
  readonly loginFailures?: Quota | undefined;
  /** absent: this process counts for itself */
  readonly counters?: SharedCounters | undefined;
  readonly log: Logger;
  /** milliseconds since 1970 */
  readonly now?: () => number;
  readonly intervals?: Partial<typeof defaultIntervals>;
}

/** Pauses of the background tasks, and how long the erasure of an account waits for requests under way; in milliseconds. */
const defaultIntervals = { revocations: 2000, marks: 5000, deactivations: 60_000, expiredItems: 3_600_000, erasureDelay: 10_000 };

export interface AuthModule extends Module<Auth> {
  readonly authenticate: Authenticate;
  readonly audit: AuthAudit;
  /** Learns what was revoked and makes the first admin. @throws unavailable, or why there can be no first admin */
  start(): Promise<void>;
}

/** Builds the auth module. The caller mounts the routes, starts it and runs the tasks; the store stays the caller's to close. */
export async function createAuth(dependencies: AuthDependencies): Promise<AuthModule> {
  const { dynamo, keys, settings, loginFailures, counters, log, now = Date.now, intervals } = dependencies;
  const every = { ...defaultIntervals, ...intervals };
  const { passwordMinLength } = settings;
  const tables = await openAuthTables(dynamo, dynamo.tablePrefix);
  const users = createUserStore(tables, now);
  const lists = createUserLists(tables, users, now);
  const names = createNameStore(tables);
  const sessionStore = createSessionStore(tables, now);
  const admins = createAdminSet(tables);
  const revocationStore = createRevocationStore(tables, dynamo.now);
  const revocations = createRevocations(revocationStore, createStopwatch(), log);
  const accessTokens = createAccessTokens(keys.jwtPrivateKeys, now);
  const refreshTokens = createRefreshTokens(keys.refreshKeys);
  const hasher = createPasswordHasher({ pepper: keys.passwordPepper, cost: settings.bcryptCost });
  const failures = countFailures(loginFailures, counters, now);

  const changes = createUserChanges({ users, sessions: sessionStore, admins, revocations });
  const registration = createRegistration({ users, names, hasher, now });
  const signIn = createSignIn({ users, names, hasher, failures, log, now });
  const sessions = createSessions({ users, store: sessionStore, revocations, accessTokens, refreshTokens, now });
  const refresh = createRefresh({ users, store: sessionStore, sessions, refreshTokens, log, now });
  const accounts = createAccountService({
    ...{ users, sessions, sessionStore, changes, registration, signIn, hasher, passwordMinLength, log, now },
    erasureDelayMs: every.erasureDelay,
  });
  const administration = createUserAdministration({ users, lists, sessions, changes, admins, signIn, hasher, log, now });

  noteSecurity(log, 'keys-loaded', { accessKids: accessTokens.kids, refreshKeyIds: refreshTokens.keyIds });
  const personalData = async (userId: string): Promise<PersonalData> => {
    const user = await users.read(userId);
    if (user === undefined || user.state === 'gone') throw new Failure('not-found');
    const { id, username, roles, createdAt } = user;
    const devices: PersonalData['sessions'][number][] = [];
    let before: string | undefined;
    do {
      const page = await accounts.listSessions(userId, { limit: 100, before });
      devices.push(...page.sessions.map(presentSession));
      before = page.next;
    } while (before !== undefined);
    return { user: { id, username, roles, createdAt: new Date(createdAt).toISOString() }, sessions: devices };
  };

  return {
    api: {
      ...createErasure({ users, lists, names, sessionStore, changes }),
      personalData,
      revocationsSince: (minutes) => revocationStore.readRecent(Math.min(minutes, keptMinutes)),
    },
    routes: [
      ...accountRoutes(accounts),
      ...sessionRoutes({ accounts, refresh }),
      ...userRoutes(administration),
      ...keyRoutes(accessTokens),
    ],
    authenticate: createBearer({ accessTokens, revocations, now }),
    audit: createAuthAudit(tables),
    tasks: [
      revocationsTask(revocations, every.revocations),
      marksTask({ lists, changes, now, everyMs: every.marks }),
      // Elsewhere the TTL of DynamoDB does it.
      ...(!dynamo.removesExpired ? [expiredItemsTask({ tables, now, everyMs: every.expiredItems })] : []),
      deactivationTask({ lists, changes, now, everyMs: every.deactivations }),
    ],
    start: async () => {
      await revocations.poll();
      await ensureAdmin({ admins, registration, admin: settings.admin, passwordMinLength, log });
    },
  };
}

function revocationsTask(revocations: Revocations, everyMs: number): BackgroundTask {
  const nothingMore = () => false;
  return { name: 'auth-revocations', everyMs, everywhere: true, run: () => revocations.poll().then(nothingMore, nothingMore) };
}

function countFailures(quota: Quota | undefined, counters: SharedCounters | undefined, now: () => number): LoginFailures {
  if (quota === undefined) return unlimitedLoginFailures;
  return counters === undefined ? createLoginFailures(quota, now) : createSharedLoginFailures(quota, counters);
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { newId } from '../../shared/identifier.ts';
import { noteSecurity } from '../../shared/security-log.ts';
import type { LoginFailures } from './login-failures.ts';
import type { NameStore } from './name-store.ts';
import type { PasswordHasher } from './password-hash.ts';
import type { User } from './user.ts';
import type { UserStore } from './user-store.ts';
import { usernameKey } from './username.ts';

export type SignIn = ReturnType<typeof createSignIn>;

// Stands for the user of a name that nobody has, so that the same reads are made.
const nobody = newId(0);
// Reading what is there takes longer than finding nothing, by a millisecond on the embedded store: both take this long.
const lookUpMs = 20;

/** Checks passwords; every check counts, and takes the same work whether there is such a user or not. */
export function createSignIn({
  users,
  names,
  hasher,
  failures,
  log,
  now,
}: {
  users: UserStore;
  names: NameStore;
  hasher: PasswordHasher;
  failures: LoginFailures;
  log: Logger;
  now: () => number;
}) {
  const counted = async (nameKey: string, check: () => Promise<User | undefined>): Promise<User> => {
    const attempt = await failures.admit(nameKey);
    let outcome: 'right' | 'wrong' | 'unknown' = 'unknown';
    try {
      const user = await check();
      outcome = user === undefined ? 'wrong' : 'right';
      if (user === undefined) throw invalidCredentials();
      return user;
    } finally {
      await attempt.end(outcome);
    }
  };

  const find = async (nameKey: string): Promise<User | undefined> => {
    const claim = await names.read(nameKey);
    const found = await users.read(claim?.userId ?? nobody);
    return found === undefined || found.state === 'gone' ? undefined : found;
  };

  return {
    /** The active user whose name and password these are. @throws invalid-credentials, throttled, overloaded, unavailable */
    authenticate: async (username: string, password: string): Promise<User> => {
      const nameKey = usernameKey(username);
      // in a flood nearly all are refused, and counting each and looking for its user would take more of the process than refusing does
      hasher.refuseWhenFull();
      return counted(nameKey, async () => {
        const [user] = await Promise.all([find(nameKey), pause(lookUpMs)]);
        const right = await hasher.matches(password, user?.passwordHash);
        if (right && user !== undefined && user.state === 'active' && isUsable(user, now())) return user;
        noteSecurity(log, 'sign-in-failed', { userId: user?.id });
        return undefined;
      });
    },

    /** The password of somebody who is signed in. @throws invalid-credentials, throttled, overloaded */
    confirm: async (user: User, password: string): Promise<void> => {
      await counted(user.nameKey, async () => {
        if (await hasher.matches(password, user.passwordHash)) return user;
        noteSecurity(log, 'password-wrong', { userId: user.id });
        return undefined;
      });
    },

    clearFailures: (user: User) => failures.clear(user.nameKey),
  };
}

/** A password that an admin had made signs in once, and not for ever. */
function isUsable({ oneTime }: User, now: number): boolean {
  return oneTime === undefined || (oneTime.usedBy === undefined && now < oneTime.until);
}

export function invalidCredentials(): Failure {
  return new Failure('invalid-credentials');
}

import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { noteSecurity } from '../../shared/security-log.ts';
import type { AdminSet } from './admin-set.ts';
import { checkNewPassword, isPossiblePassword } from './password-rules.ts';
import type { Registration } from './registration.ts';
import { isAdmin } from './user.ts';
import { isUsername } from './username.ts';

/**
 * Makes the first admin when there is none. Several processes may do it at once. An existing user is never promoted or given
 * another password. @throws with a reason that an operator can act on
 */
export async function ensureAdmin({
  admins,
  registration,
  admin,
  passwordMinLength,
  log,
}: {
  admins: AdminSet;
  registration: Registration;
  admin: { readonly username: string; readonly password: string } | undefined;
  passwordMinLength: number;
  log: Logger;
}): Promise<void> {
  if (!(await admins.isEmpty())) return;
  if (admin === undefined) {
    log.warn('there is no admin: set ADMIN_USERNAME and ADMIN_PASSWORD to make one');
    return;
  }
  const existing = await registration.findByName(admin.username);
  const user = existing ?? (await makeAdmin(registration, admin, passwordMinLength));
  if (!isAdmin(user))
    throw new Error(`ADMIN_USERNAME names the user ${user.username}, who exists and is no admin: choose another name`);
  await admins.join(user.id, user.token);
  noteSecurity(log, 'first-admin', { userId: user.id });
}

async function makeAdmin(
  registration: Registration,
  { username, password }: { username: string; password: string },
  minLength: number,
) {
  if (!isUsername(username)) throw new Error('ADMIN_USERNAME has to be 3 to 64 letters, digits and . _ @ + -');
  if (!isPossiblePassword(password)) throw new Error('ADMIN_PASSWORD is too long');
  try {
    await checkNewPassword(password, { username, minLength, pointer: '/password' });
  } catch (cause) {
    throw new Error(`ADMIN_PASSWORD ${reasonOf(cause)}`, { cause });
  }
  try {
    return await registration.makeUser({ username, password, roles: ['admin'] });
  } catch (error) {
    // Another process was faster.
    const winner = error instanceof Failure && error.code === 'duplicate' ? await registration.findByName(username) : undefined;
    if (winner === undefined) throw error;
    return winner;
  }
}

function reasonOf(error: unknown): string {
  const [violation] = error instanceof Failure && Array.isArray(error.members.errors) ? error.members.errors : [];
  return violation?.detail ?? 'can not be used';
}

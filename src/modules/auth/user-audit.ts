import type { AuditRun } from '../../shared/audit-run.ts';
import type { Finding } from '../../shared/finding.ts';
import { roles as knownRoles } from '../../shared/principal.ts';
import type { Doubt } from './audit-doubt.ts';
import type { AuthTables, UserItem, UsernameItem } from './auth-tables.ts';
import { itemsByKey } from './items-by-key.ts';
import { usernameKey } from './username.ts';

/** What an erasure takes out of a user; the name goes last. */
const personal = ['username', 'password_hash', 'roles', 'created_at', 'one_time_until', 'one_time_used_by'] as const;
/** the tasks that erase run every few seconds */
const overdueMs = 3_600_000;

/** I-08: every user has his name to himself. I-31: of an erased one nothing is left, and no erasure is overdue. */
export async function checkUsers(
  { users, usernames }: Pick<AuthTables, 'users' | 'usernames'>,
  items: readonly UserItem[],
  run: AuditRun,
): Promise<readonly Doubt<UserItem>[]> {
  const found = await itemsByKey(
    users,
    'user_id',
    items.map((item) => item.user_id),
  );
  const names = [...found.values()].flatMap(({ state, name_key: name }) =>
    state === 'gone' || name === undefined ? [] : [name],
  );
  const holders = await itemsByKey(usernames, 'name_key', names);
  return items.flatMap((item) => {
    const user = found.get(item.user_id);
    if (user === undefined) return [];
    const holder = holders.get(user.name_key ?? '');
    return faultsOf(user, { holder, now: run.now }).map((finding) => ({ item, finding }));
  });
}

function faultsOf(user: UserItem, { holder, now }: { holder: UsernameItem | undefined; now: number }): readonly Finding[] {
  const { user_id: id, state, erase_at: eraseAt } = user;
  const broken = (invariant: string, detail: string): Finding => ({ invariant, subject: `user ${id}`, detail });
  const overdue = eraseAt !== undefined && eraseAt < now - overdueMs;
  const late = overdue ? [broken('I-31', `was to be erased at ${new Date(eraseAt).toISOString()} and is ${state}`)] : [];
  if (state === 'gone') {
    const left = personal.filter((name) => user[name] !== undefined);
    return [...late, ...(left.length > 0 ? [broken('I-31', `is gone, but ${left.join(', ')} are left`)] : [])];
  }
  const faults = [...late];
  if (!['active', 'deactivated', 'erasing'].includes(state)) faults.push(broken('I-08', `is ${state}, which is no state`));
  if (user.username === undefined || user.name_key !== usernameKey(user.username))
    faults.push(broken('I-08', 'has a name that is not the one that he is found by'));
  else if (holder?.user_id !== id)
    faults.push(broken('I-08', `has a name that belongs to ${holder === undefined ? 'nobody' : `user ${holder.user_id}`}`));
  if (user.password_hash === undefined) faults.push(broken('I-08', 'has no password'));
  if (user.roles?.some((role) => !knownRoles.some((known) => known === role)) !== false)
    faults.push(broken('I-08', `has the roles ${user.roles?.join(', ')}`));
  return faults;
}

/** I-08 from the other side: a taken name is its user's, or that of a registration that died before it made one. */
export async function checkNames(
  { users, usernames }: Pick<AuthTables, 'users' | 'usernames'>,
  items: readonly UsernameItem[],
): Promise<readonly Doubt<UsernameItem>[]> {
  const names = await itemsByKey(
    usernames,
    'name_key',
    items.map((item) => item.name_key),
  );
  const owners = await itemsByKey(
    users,
    'user_id',
    [...names.values()].map((name) => name.user_id),
  );
  return items.flatMap((item) => {
    const name = names.get(item.name_key);
    const user = name && owners.get(name.user_id);
    if (name === undefined || user === undefined || user.name_key === item.name_key) return [];
    // Nobody was ever made under this id, or he is gone and his name is free again.
    if (user.state === 'gone' && user.name_key === undefined) return [];
    const detail = `belongs to a name that he does not have, taken at ${new Date(name.created_at).toISOString()}`;
    return [{ item, finding: { invariant: 'I-08', subject: `user ${user.user_id}`, detail } }];
  });
}

import { newId } from '../../shared/identifier.ts';
import { roles as knownRoles, type Role } from '../../shared/principal.ts';
import type { UserItem } from './auth-tables.ts';
import type { GoneUser, Mark, User, UserState } from './user.ts';

/** A change of a user that raises his counter; what is absent stays. */
export interface UserChange {
  readonly passwordHash?: string;
  /** the new password may be used once and until then */
  readonly oneTimeUntil?: number;
  readonly roles?: readonly Role[];
  readonly state?: UserState;
  readonly eraseAt?: number;
  readonly mark: Mark;
}

/** The partition of the index of users with a change half done. */
export const pendingMark = 'pending';
/** The partition of the index of all users. */
export const listed = 'user';

type ChangedUser = User & { readonly changeId: string };

export function changedUser(user: User, { passwordHash, oneTimeUntil, roles, state, eraseAt, mark }: UserChange): ChangedUser {
  const { oneTime, eraseAt: dueAt, ...rest } = user;
  const newPassword = passwordHash !== undefined && {
    passwordHash,
    ...(oneTimeUntil !== undefined && { oneTime: { until: oneTimeUntil } }),
  };
  const newState = state !== undefined && { state, ...(eraseAt !== undefined && { eraseAt }) };
  return {
    ...rest,
    ...(newPassword || (oneTime && { oneTime })),
    ...(newState || (dueAt !== undefined && { eraseAt: dueAt })),
    ...(roles && { roles }),
    token: user.token + 1,
    changeId: newId(),
    mark,
  };
}

/** The change alone: what it does not speak of may have been written since the user was read. */
export function changeOf(changed: ChangedUser, { passwordHash, roles, state }: UserChange, markedAt: number) {
  const optional = optionalAttributes(changed);
  const set = {
    token: changed.token,
    change_id: changed.changeId,
    mark_at: markedAt,
    ...chosen(optional, markNames),
    ...(passwordHash !== undefined && { password_hash: passwordHash, ...chosen(optional, oneTimeNames) }),
    ...(roles !== undefined && { roles }),
    ...(state !== undefined && { state, ...chosen(optional, eraseNames) }),
  };
  const spoken = [...(passwordHash === undefined ? [] : oneTimeNames), ...(state === undefined ? [] : eraseNames)];
  return { set, remove: spoken.filter((name) => !(name in set)) };
}

export const markNames = ['mark_queue', 'mark_except', 'mark_joins_admins'] as const;
const oneTimeNames = ['one_time_until', 'one_time_used_by'] as const;
const eraseNames = ['erase_queue', 'erase_at'] as const;

function chosen(item: Partial<UserItem>, names: readonly (keyof UserItem)[]): Partial<UserItem> {
  return Object.fromEntries(names.filter((name) => name in item).map((name) => [name, item[name]]));
}

function optionalAttributes({ mark, oneTime, eraseAt, state }: User): Partial<UserItem> {
  return {
    ...(mark && {
      mark_queue: pendingMark,
      mark_joins_admins: mark.joinsAdmins,
      ...(mark.except !== undefined && { mark_except: mark.except }),
    }),
    ...(oneTime && { one_time_until: oneTime.until, ...(oneTime.usedBy !== undefined && { one_time_used_by: oneTime.usedBy }) }),
    ...(eraseAt !== undefined && { erase_queue: state, erase_at: eraseAt }),
  };
}

export function toItem(user: User): UserItem {
  return {
    user_id: user.id,
    username: user.username,
    name_key: user.nameKey,
    password_hash: user.passwordHash,
    token: user.token,
    roles: user.roles,
    state: user.state,
    created_at: user.createdAt,
    request_id: user.requestId,
    listed,
    ...optionalAttributes(user),
  };
}

export function fromItem(item: UserItem): User | GoneUser {
  const { user_id: id, state, name_key: nameKey, change_id: changeId, one_time_until: until, erase_at: eraseAt } = item;
  if (state === 'gone') return { id, state, ...(nameKey !== undefined && { nameKey }) };
  return {
    id,
    username: item.username ?? '',
    nameKey: nameKey ?? '',
    passwordHash: item.password_hash ?? '',
    token: item.token,
    roles: knownRoles.filter((role) => item.roles?.includes(role)),
    // Only these states are ever written.
    state: state as UserState,
    createdAt: item.created_at ?? 0,
    requestId: item.request_id ?? '',
    ...(changeId !== undefined && { changeId }),
    ...(item.mark_queue !== undefined && {
      mark: { joinsAdmins: item.mark_joins_admins === true, ...(item.mark_except !== undefined && { except: item.mark_except }) },
    }),
    ...(until !== undefined && {
      oneTime: { until, ...(item.one_time_used_by !== undefined && { usedBy: item.one_time_used_by }) },
    }),
    ...(eraseAt !== undefined && { eraseAt }),
  };
}

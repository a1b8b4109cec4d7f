import type { AuthTables } from './auth-tables.ts';
import type { GoneUser, User } from './user.ts';
import { changedUser, changeOf, fromItem, markNames, toItem, type UserChange } from './user-item.ts';

export type UserStore = ReturnType<typeof createUserStore>;

/** The table of users. Reads are consistent; every write has a condition and reads back when it is told that it failed. */
export function createUserStore({ users }: Pick<AuthTables, 'users'>, now: () => number) {
  const read = async (id: string): Promise<User | GoneUser | undefined> => {
    const item = await users.get({ user_id: id });
    return item && fromItem(item);
  };
  return {
    read,

    /** Those of these users who exist, at most 100, in their order. */
    readMany: async (ids: readonly string[]): Promise<readonly (User | GoneUser)[]> =>
      (await users.getMany(ids.map((id) => ({ user_id: id })))).map(fromItem),

    /** Makes a user. False when something stands under his id already: then the name was taken over meanwhile. */
    async create(user: User): Promise<boolean> {
      if (await users.insert(toItem(user))) return true;
      const found = await read(user.id);
      return found !== undefined && found.state !== 'gone' && found.requestId === user.requestId;
    },

    /** Makes sure that no user is ever made under this id. False when there is one. */
    async forbid(id: string): Promise<boolean> {
      if (await users.insert({ user_id: id, state: 'gone', token: 0 })) return true;
      return (await read(id))?.state === 'gone';
    },

    /** Changes a user as he was read. Undefined when somebody else was faster; nothing happened then. */
    async change(user: User, change: UserChange): Promise<User | undefined> {
      const changed = changedUser(user, change);
      const written = await users.update({ user_id: user.id }, changeOf(changed, change, now()), {
        equals: { token: user.token },
      });
      if (written) return changed;
      const found = await read(user.id);
      return found?.state !== 'gone' && found?.changeId === changed.changeId ? found : undefined;
    },

    /** The newest change is finished. Another one may have been made since; its mark stays. */
    async clearMark({ id, changeId }: User): Promise<void> {
      if (changeId === undefined) return;
      await users.update({ user_id: id }, { remove: ['mark_at', ...markNames] }, { equals: { change_id: changeId } });
    },

    /** Uses a one-time password up for a session. False when it was used before or is not the user's password any more. */
    async useOneTimePassword(user: User, sessionId: string): Promise<boolean> {
      const condition = { equals: { token: user.token }, absent: ['one_time_used_by' as const] };
      if (await users.update({ user_id: user.id }, { set: { one_time_used_by: sessionId } }, condition)) return true;
      const found = await read(user.id);
      return found?.state !== 'gone' && found?.oneTime?.usedBy === sessionId;
    },

    /** Takes everything personal out of an erasing user but the name that is still to be freed. */
    async strip({ id }: User): Promise<void> {
      const remove = [
        'username',
        'password_hash',
        'roles',
        'created_at',
        'request_id',
        'one_time_until',
        'one_time_used_by',
        'listed',
      ] as const;
      await users.update(
        { user_id: id },
        { set: { state: 'gone' }, remove },
        { equals: { state: 'erasing' }, absent: ['mark_queue'] },
      );
    },

    /** The last step of an erasure. */
    async forgetName(id: string): Promise<void> {
      await users.update({ user_id: id }, { remove: ['name_key', 'erase_queue', 'erase_at'] }, { equals: { state: 'gone' } });
    },
  };
}

import { userIndexes } from './auth-table-shapes.ts';
import type { AuthTables } from './auth-tables.ts';
import type { User } from './user.ts';
import { listed, pendingMark } from './user-item.ts';
import type { UserStore } from './user-store.ts';

export type UserLists = ReturnType<typeof createUserLists>;

/** Users by what an index knows about them. An index lags behind: who acts on a user reads him first. */
export function createUserLists(
  { users }: Pick<AuthTables, 'users'>,
  { readMany }: Pick<UserStore, 'readMany'>,
  now: () => number,
) {
  return {
    /** Users with a change that was made before `before` and is not finished. */
    async marked(before: number, limit: number): Promise<readonly string[]> {
      const { items } = await users.query({
        index: userIndexes.marks,
        partition: { mark_queue: pendingMark },
        upTo: { mark_at: before },
        limit,
      });
      return items.map(({ user_id }) => user_id);
    },

    /** Users in the given state whose time to go on towards erasure has come. */
    async due(state: 'deactivated' | 'erasing', limit: number): Promise<readonly string[]> {
      const { items } = await users.query({
        index: userIndexes.erasures,
        partition: { erase_queue: state },
        upTo: { erase_at: now() },
        limit,
      });
      return items.map(({ user_id }) => user_id);
    },

    /** One page of all users, the newest first. `before` is the id of the last one of the page before. */
    async list(limit: number, before?: string): Promise<{ readonly users: readonly User[]; readonly next?: string }> {
      const after = before === undefined ? undefined : { listed, user_id: before };
      const page = await users.query({ index: userIndexes.creation, partition: { listed }, newestFirst: true, limit, after });
      const found = await readMany(page.items.map(({ user_id }) => user_id));
      const next = page.next?.user_id;
      return {
        users: found.filter((user) => user.state !== 'gone'),
        ...(typeof next === 'string' && { next }),
      };
    },
  };
}

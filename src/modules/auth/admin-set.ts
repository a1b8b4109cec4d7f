import { Failure, overloaded } from '../../shared/failure.ts';
import type { AdminSetItem, AuthTables } from './auth-tables.ts';

export type AdminSet = ReturnType<typeof createAdminSet>;

const key = { set_id: 'admins' };
const maxAttempts = 20;

type Entries = AdminSetItem['entries'];

/**
 * The set of active admins: one item, so that "one has to stay" is the condition of one write. Each entry keeps the counter
 * of the write to the user that it belongs to, also after a removal, and a write with an older one is refused: a grant
 * that comes late can't bring back an admin who was removed since. Removing writes the set first, then the user; a grant
 * the user first, then the set. So whoever is in the set is an admin.
 */
export function createAdminSet({ admins }: Pick<AuthTables, 'admins'>) {
  const read = async () => {
    const item = await admins.get(key);
    return { version: item?.version ?? 0, entries: item?.entries ?? [] };
  };

  const write = (version: number, entries: Entries) =>
    version === 0
      ? admins.insert({ ...key, version: 1, entries })
      : admins.update(key, { set: { version: version + 1, entries } }, { equals: { version } });

  /** False when a newer write was here before. */
  const enter = async (userId: string, counter: number, member: boolean): Promise<boolean> => {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { version, entries } = await read();
      const present = entries.find(({ user_id }) => user_id === userId);
      if (present !== undefined && present.counter === counter && present.member === member) return true;
      // Of a grant and a removal that go with the same write, the removal has to win: it may be on its way to that write.
      if (present !== undefined && (present.counter > counter || (present.counter === counter && member))) return false;
      const others = entries.filter(({ user_id }) => user_id !== userId);
      if (!member && present?.member === true && !others.some((other) => other.member)) throw new Failure('last-admin');
      if (await write(version, [...others, { user_id: userId, counter, member }])) return true;
    }
    throw overloaded();
  };

  return {
    /** A user became an admin by the write that gave him this counter. Idempotent. */
    join: (userId: string, counter: number) => enter(userId, counter, true),
    /** A user is about to stop being an admin by the write that will give him this counter. @throws last-admin */
    leave: (userId: string, counter: number) => enter(userId, counter, false),
    async has(userId: string): Promise<boolean> {
      return (await read()).entries.some(({ user_id, member }) => member && user_id === userId);
    },
    async isEmpty(): Promise<boolean> {
      return !(await read()).entries.some(({ member }) => member);
    },
  };
}

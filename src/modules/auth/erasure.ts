import type { BackgroundTask } from '../../shared/background.ts';
import type { Auth } from './auth-api.ts';
import type { UserChanges } from './change-user.ts';
import type { NameStore } from './name-store.ts';
import type { SessionStore } from './session-store.ts';
import type { User } from './user.ts';
import type { UserLists } from './user-lists.ts';
import type { UserStore } from './user-store.ts';

const usersPerRun = 20;
const sessionsPerPage = 100;

interface ErasureDependencies {
  readonly users: UserStore;
  readonly lists: UserLists;
  readonly names: NameStore;
  readonly sessionStore: SessionStore;
  readonly changes: UserChanges;
}

/** The end of an account: erasing, then everything personal goes, the name last. Any step may be repeated. */
export function createErasure({
  users,
  lists,
  names,
  sessionStore,
  changes,
}: ErasureDependencies): Pick<Auth, 'usersToErase' | 'erased'> {
  const removeSessions = async ({ id }: User): Promise<void> => {
    let before: string | undefined;
    do {
      const page = await sessionStore.list(id, { limit: sessionsPerPage, before });
      for (const session of page.sessions) await sessionStore.end(session.id);
      before = page.next;
    } while (before !== undefined);
  };

  return {
    usersToErase: async (limit) => {
      const due = await users.readMany(await lists.due('erasing', limit));
      return due.filter(({ state }) => state === 'erasing' || state === 'gone').map(({ id }) => ({ userId: id }));
    },
    erased: async (userId) => {
      const settled = await changes.settled(userId);
      if (settled?.state === 'erasing') {
        await removeSessions(settled);
        await users.strip(settled);
      }
      const gone = await users.read(userId);
      if (gone?.state !== 'gone' || gone.nameKey === undefined) return;
      await names.free(gone.nameKey, userId);
      await users.forgetName(userId);
    },
  };
}

/** Deactivated accounts that nobody restored in time are erased. */
export function deactivationTask({
  lists,
  changes,
  now,
  everyMs,
}: {
  lists: UserLists;
  changes: UserChanges;
  now: () => number;
  everyMs: number;
}): BackgroundTask {
  return {
    name: 'auth-deactivations',
    everyMs,
    run: async () => {
      const due = await lists.due('deactivated', usersPerRun);
      for (const userId of due) {
        // What an index names may be gone or changed already.
        if ((await changes.settled(userId)) === undefined) continue;
        await changes.change(userId, async ({ state, eraseAt = 0 }) =>
          state === 'deactivated' && eraseAt <= now()
            ? { state: 'erasing', eraseAt: now(), mark: { joinsAdmins: false } }
            : undefined,
        );
      }
      return due.length === usersPerRun;
    },
  };
}

/** Finishes changes whose process died before it could. */
export function marksTask({
  lists,
  changes,
  now,
  everyMs,
}: {
  lists: UserLists;
  changes: UserChanges;
  now: () => number;
  everyMs: number;
}): BackgroundTask {
  return {
    name: 'auth-marks',
    everyMs,
    run: async () => {
      const marked = await lists.marked(now() - everyMs, usersPerRun);
      for (const userId of marked) await changes.settled(userId);
      return marked.length === usersPerRun;
    },
  };
}

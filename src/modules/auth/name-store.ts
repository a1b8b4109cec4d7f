import type { AuthTables } from './auth-tables.ts';

/** A name that is taken, by a user or by a registration that has not made its user yet. */
export interface NameClaim {
  readonly userId: string;
  readonly requestId: string;
  readonly createdAt: number;
}

export type NameStore = ReturnType<typeof createNameStore>;

/** The table of names. A name has one holder; what decides is the condition of each write. */
export function createNameStore({ usernames }: Pick<AuthTables, 'usernames'>) {
  return {
    async read(nameKey: string): Promise<NameClaim | undefined> {
      const item = await usernames.get({ name_key: nameKey });
      return item && { userId: item.user_id, requestId: item.request_id, createdAt: item.created_at };
    },
    /** Takes a free name. False when it is not free, or when it is and the answer was lost: the claim's request id tells. */
    claim: (nameKey: string, { userId, requestId, createdAt }: NameClaim) =>
      usernames.insert({ name_key: nameKey, user_id: userId, request_id: requestId, created_at: createdAt }),
    /** Takes a name from a claim that never got its user. False when it is not that claim's any more. */
    takeOver: ({ nameKey, from, to }: { nameKey: string; from: NameClaim; to: NameClaim }) =>
      usernames.update(
        { name_key: nameKey },
        { set: { user_id: to.userId, request_id: to.requestId, created_at: to.createdAt } },
        { equals: { user_id: from.userId, request_id: from.requestId } },
      ),
    /** Frees a name if it is still this user's. */
    async free(nameKey: string, userId: string): Promise<void> {
      await usernames.remove({ name_key: nameKey }, { equals: { user_id: userId } });
    },
  };
}

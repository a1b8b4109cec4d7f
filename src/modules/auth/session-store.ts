import { sessionIndexes } from './auth-table-shapes.ts';
import type { AuthTables, SessionItem } from './auth-tables.ts';
import { sessionIdleMs, sessionLifetimeMs } from './limits.ts';

/** A signed-in device. An ended session is one that is not there. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  /** the user's counter that the session is good for; lower than the user's: the session has ended */
  readonly token: number;
  /** of the newest refresh token */
  readonly generation: number;
  /** the key that the newest refresh token is made with */
  readonly keyId: string;
  /** 32 random bytes as text; with the key they make the refresh tokens */
  readonly secret: string;
  readonly device: string;
  readonly createdAt: number;
  /** when the newest refresh token was made */
  readonly rotatedAt: number;
}

export type SessionStore = ReturnType<typeof createSessionStore>;

/** The table of sessions. Reads by id are consistent and do not see sessions whose time is over. */
export function createSessionStore({ sessions }: Pick<AuthTables, 'sessions'>, now: () => number) {
  // DynamoDB deletes expired items late, the embedded store never by itself.
  const isOver = (session: Session): boolean => now() >= expiryOf(session);

  const read = async (id: string): Promise<Session | undefined> => {
    const item = await sessions.get({ session_id: id });
    const session = item && fromItem(item);
    return session === undefined || isOver(session) ? undefined : session;
  };
  return {
    read,

    async create(session: Session): Promise<void> {
      // The id is new and random: if it is there, it is this very session, and the answer was lost.
      await sessions.insert(toItem(session));
    },

    /** The one write of a refresh: from the generation that was read to the next. False when it lost a race or the session ended. */
    rotate: (session: Session, next: { readonly keyId: string; readonly rotatedAt: number }) => {
      const rotated = { ...session, ...next, generation: session.generation + 1 };
      const set = {
        generation: rotated.generation,
        key_id: rotated.keyId,
        rotated_at: rotated.rotatedAt,
        expires: secondsOf(expiryOf(rotated)),
      };
      return sessions.update({ session_id: session.id }, { set }, { equals: { generation: session.generation } });
    },

    /** Makes a session good for a newer counter of its user. Nothing when it ended or is as new already. */
    async raise(id: string, token: number): Promise<void> {
      await sessions.update({ session_id: id }, { set: { token } }, { below: { token } });
    },

    async end(id: string): Promise<void> {
      await sessions.remove({ session_id: id });
    },

    /** One page of a user's sessions, the newest first; ended ones are left out. */
    async list(
      userId: string,
      { limit, before }: { limit: number; before?: string | undefined },
    ): Promise<{ sessions: readonly Session[]; next?: string }> {
      const after = before === undefined ? undefined : { user_id: userId, session_id: before };
      const page = await sessions.query({
        index: sessionIndexes.user,
        partition: { user_id: userId },
        newestFirst: true,
        limit,
        after,
      });
      const found = (await sessions.getMany(page.items.map(({ session_id }) => ({ session_id })))).map(fromItem);
      const next = page.next?.session_id;
      return { sessions: found.filter((session) => !isOver(session)), ...(typeof next === 'string' && { next }) };
    },
  };
}

/** When the session ends by itself. */
function expiryOf({ createdAt, rotatedAt }: Pick<Session, 'createdAt' | 'rotatedAt'>): number {
  return Math.min(createdAt + sessionLifetimeMs, rotatedAt + sessionIdleMs);
}

const secondsOf = (milliseconds: number) => Math.ceil(milliseconds / 1000);

function toItem(session: Session): SessionItem {
  return {
    session_id: session.id,
    user_id: session.userId,
    token: session.token,
    generation: session.generation,
    key_id: session.keyId,
    secret: session.secret,
    device: session.device,
    created_at: session.createdAt,
    rotated_at: session.rotatedAt,
    expires: secondsOf(expiryOf(session)),
  };
}

function fromItem(item: SessionItem): Session {
  return {
    id: item.session_id,
    userId: item.user_id,
    token: item.token,
    generation: item.generation,
    keyId: item.key_id,
    secret: item.secret,
    device: item.device,
    createdAt: item.created_at,
    rotatedAt: item.rotated_at,
  };
}

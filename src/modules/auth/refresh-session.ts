import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { noteSecurity } from '../../shared/security-log.ts';
import { refreshGraceMs } from './limits.ts';
import type { PresentedToken, RefreshTokens } from './refresh-token.ts';
import type { Session, SessionStore } from './session-store.ts';
import type { Sessions, Tokens } from './sessions.ts';
import type { User } from './user.ts';
import type { UserStore } from './user-store.ts';

export interface RefreshDependencies {
  readonly users: UserStore;
  readonly store: SessionStore;
  readonly sessions: Sessions;
  readonly refreshTokens: RefreshTokens;
  readonly log: Logger;
  readonly now: () => number;
}

export type Refresh = (refreshToken: string) => Promise<Tokens>;

const maxReads = 5;

/** Exchanges refresh tokens for new tokens. */
export function createRefresh({ users, store, sessions, refreshTokens, log, now }: RefreshDependencies): Refresh {
  const readPresented = async (presented: PresentedToken): Promise<Session> => {
    const session = await store.read(presented.sessionId);
    if (session === undefined || !refreshTokens.isGenuine(presented, session)) throw invalidRefreshToken();
    if (isSpent(presented, session, now())) {
      noteSecurity(log, 'refresh-reused', { userId: session.userId, sessionId: session.id });
      await sessions.end(session.id);
      throw invalidRefreshToken();
    }
    return session;
  };

  /** Reads the session and then its user, who has to be of the same counter. The session is read again before it is refused. */
  const readPair = async (presented: PresentedToken): Promise<{ session: Session; user: User }> => {
    let refused: number | undefined;
    for (let read = 0; read < maxReads; read++) {
      const session = await readPresented(presented);
      const user = await users.read(session.userId);
      if (user === undefined || user.state !== 'active') throw invalidRefreshToken();
      if (isCurrent(session, user)) return { session, user };
      if (refused === session.token) break;
      refused = session.token;
    }
    throw invalidRefreshToken();
  };

  /** Rotates. The same token presented again, at once or within the grace, yields the same successor. @throws invalid-refresh-token */
  return async (refreshToken) => {
    const presented = refreshTokens.parse(refreshToken);
    if (presented === undefined) throw invalidRefreshToken();
    const { session, user } = await readPair(presented);
    if (presented.generation === session.generation) {
      const next = { keyId: refreshTokens.newestKeyId, rotatedAt: now() };
      if (await store.rotate(session, next))
        return sessions.tokensFor(user, { ...session, ...next, generation: session.generation + 1 });
    }
    // Lost a race, or the answer of the first time was lost: what counts is what stands there now.
    const found = await store.read(session.id);
    if (found === undefined || found.generation !== presented.generation + 1) throw invalidRefreshToken();
    return sessions.tokensFor(user, { ...found, token: session.token });
  };
}

/** Older than the immediate predecessor of the newest, or that one after the grace. */
function isSpent({ generation }: PresentedToken, session: Session, now: number): boolean {
  const behind = session.generation - generation;
  return behind > 1 || (behind === 1 && now - session.rotatedAt > refreshGraceMs);
}

/** Has nothing ended the session since? The session that made a change is spared while that change is being finished. */
function isCurrent(session: Session, user: User): boolean {
  return session.token >= user.token || (user.mark?.except === session.id && session.token + 1 >= user.token);
}

function invalidRefreshToken(): Failure {
  return new Failure('invalid-refresh-token');
}

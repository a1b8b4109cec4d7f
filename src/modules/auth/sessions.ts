import { randomBytes } from 'node:crypto';
import { Failure, unavailable } from '../../shared/failure.ts';
import { newId } from '../../shared/identifier.ts';
import type { Principal, Role } from '../../shared/principal.ts';
import type { AccessTokens } from './access-token.ts';
import { principalOf, unauthenticated } from './bearer.ts';
import { maxDeviceLength } from './limits.ts';
import type { RefreshTokens } from './refresh-token.ts';
import type { Revocations } from './revocations.ts';
import type { Session, SessionStore } from './session-store.ts';
import { invalidCredentials } from './sign-in.ts';
import type { User } from './user.ts';
import type { UserStore } from './user-store.ts';

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  /** seconds */
  readonly expiresIn: number;
  readonly user: { readonly id: string; readonly username: string; readonly roles: readonly Role[] };
}

export type Sessions = ReturnType<typeof createSessions>;

export interface SessionDependencies {
  readonly users: UserStore;
  readonly store: SessionStore;
  readonly revocations: Revocations;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly now: () => number;
}

/** Signed-in devices and their tokens. */
export function createSessions({ users, store, revocations, accessTokens, refreshTokens, now }: SessionDependencies) {
  const tokensFor = (user: User, session: Session): Tokens => {
    const refreshToken = refreshTokens.mint(session);
    // A newer key that this process has not been given yet: another process can answer.
    if (refreshToken === undefined) throw unavailable('The key of this session is not known here.');
    return {
      accessToken: accessTokens.issue(principalOf(user, session)),
      refreshToken,
      tokenType: 'Bearer',
      expiresIn: accessTokens.expiresInSeconds,
      user: { id: user.id, username: user.username, roles: user.roles },
    };
  };

  /** Ends a session that is not the caller's own: first nobody accepts it any more, so that a repetition finds it still there. */
  const end = async (sessionId: string): Promise<void> => {
    await revocations.publish({ sessionId });
    await store.end(sessionId);
  };

  return {
    tokensFor,
    end,

    /** Signs a user in, as he was read together with his password hash. */
    async begin(user: User, device: string): Promise<Tokens> {
      const createdAt = now();
      const session: Session = {
        id: newId(createdAt),
        userId: user.id,
        token: user.token,
        generation: 1,
        keyId: refreshTokens.newestKeyId,
        secret: randomBytes(32).toString('base64url'),
        device: device.replace(/\p{C}/gu, ' ').trim().slice(0, maxDeviceLength),
        createdAt,
        rotatedAt: createdAt,
      };
      if (user.oneTime !== undefined && !(await users.useOneTimePassword(user, session.id))) throw invalidCredentials();
      await store.create(session);
      return tokensFor(user, session);
    },

    /** Ends the caller's own session. His access token works until this has succeeded, so that he can repeat it. */
    async endOwn({ sessionId }: Principal): Promise<void> {
      await store.end(sessionId);
      await revocations.publish({ sessionId });
    },

    /** Ends another session of the caller. @throws not-found */
    async endOther(principal: Principal, sessionId: string): Promise<void> {
      const session = await store.read(sessionId);
      if (session === undefined || session.userId !== principal.userId) throw new Failure('not-found');
      await end(sessionId);
    },

    /** Before a session makes a change: is it alive by what the store says now? @throws unauthenticated */
    async requireLive({ sessionId }: Principal, user: User | undefined): Promise<User> {
      const session = await store.read(sessionId);
      if (user === undefined || user.state !== 'active') throw unauthenticated();
      if (session === undefined || session.userId !== user.id || session.token < user.token) throw unauthenticated();
      return user;
    },
  };
}

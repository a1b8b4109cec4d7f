import { LRUCache } from 'lru-cache';
import passport from 'passport';
import passportJwt from 'passport-jwt';
import { Failure } from '../../shared/failure.ts';
import type { Authenticate } from '../../shared/http-access.ts';
import type { Principal } from '../../shared/principal.ts';
import type { AccessClaims, TokenReader } from './access-token.ts';
import { algorithm, audience, issuer } from './access-token.ts';
import type { KnownRevocations } from './revocations.ts';

const strategyName = 'access-token';
const rememberedTokens = 5000;

interface BearerRequest {
  readonly token: string;
}

/** Whom an access token speaks for. Checking a signature is dear, so good tokens are remembered; expiry and revocation are looked at each time. */
export function createBearer({
  accessTokens,
  revocations,
  now,
}: {
  accessTokens: TokenReader;
  revocations: Pick<KnownRevocations, 'isFresh' | 'isRevoked' | 'refresh'>;
  now: () => number;
}): Authenticate {
  const remembered = new LRUCache<string, AccessClaims>({ max: rememberedTokens });
  const verify = createVerifier(accessTokens);
  return async (token) => {
    if (!revocations.isFresh()) await revocations.refresh();
    const known = remembered.get(token);
    const claims = known ?? (await verify(token));
    if (claims === undefined || claims.expiresAt * 1000 <= now() || revocations.isRevoked(claims.principal)) {
      remembered.delete(token);
      throw unauthenticated();
    }
    if (known === undefined) remembered.set(token, claims);
    return claims.principal;
  };
}

/** @returns the claims when signature and claims are good */
function createVerifier(accessTokens: TokenReader): (token: string) => Promise<AccessClaims | undefined> {
  const authenticator = new passport.Passport();
  const strategy = new passportJwt.Strategy(
    {
      jwtFromRequest: ({ token }: BearerRequest) => token,
      secretOrKeyProvider: (_request: BearerRequest, token: string, done) => {
        const key = accessTokens.keyOf(token);
        // jsonwebtoken takes a KeyObject, five times faster than PEM; the types of passport-jwt don't know.
        if (key === undefined) done('unknown key');
        else done(null, key as unknown as Buffer);
      },
      algorithms: [algorithm],
      issuer,
      audience,
      // Times are checked with the other claims, which has to be done again for remembered tokens.
      jsonWebTokenOptions: { ignoreExpiration: true, ignoreNotBefore: true },
      ignoreExpiration: true,
    },
    (payload: unknown, done: (error: unknown, claims?: AccessClaims | false) => void) =>
      done(null, accessTokens.readClaims(payload) ?? false),
  );
  authenticator.use(strategyName, strategy);
  return (token) =>
    new Promise((resolve, reject) => {
      const finished = (error: unknown, claims: unknown) => {
        if (error) reject(error);
        // It comes from the callback above.
        else resolve((claims as AccessClaims | false) || undefined);
      };
      const middleware = authenticator.authenticate(strategyName, { session: false }, finished);
      middleware({ token }, {}, reject);
    });
}

/** 401 for a missing, bad, expired or revoked access token. */
export function unauthenticated(): Failure {
  return new Failure('unauthenticated', { detail: 'The access token is not valid, or not any more.' });
}

export function principalOf(user: { id: string; roles: Principal['roles'] }, session: { id: string; token: number }): Principal {
  return { userId: user.id, sessionId: session.id, roles: user.roles, tokenVersion: session.token };
}

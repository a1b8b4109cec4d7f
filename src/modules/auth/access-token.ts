import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { type Principal, roles } from '../../shared/principal.ts';
import { accessTokenLifetimeMs, clockToleranceMs, maxAccessTokenLength } from './limits.ts';

export const issuer = 'shop';
export const audience = 'shop';
export const algorithm = 'RS256';
const type = 'at+jwt';
const lifetimeSeconds = accessTokenLifetimeMs / 1000;

/** Nothing but these: a `crit` we don't understand, a key that comes along or a place to fetch one from is refused. */
const headerSchema = z.strictObject({ alg: z.literal(algorithm), typ: z.literal(type), kid: z.string() });
const id = z.string().regex(/^[0-9a-f-]{36}$/);
const claimsSchema = z.object({
  iss: z.literal(issuer),
  aud: z.literal(audience),
  sub: id,
  sid: id,
  tv: z.int().min(1),
  jti: z.string(),
  iat: z.int().min(0),
  exp: z.int().min(0),
  nbf: z.never().optional(),
  roles: z.array(z.enum(roles)),
});

/** What a good access token says; times in seconds since 1970. */
export interface AccessClaims {
  readonly principal: Principal;
  readonly expiresAt: number;
}

/** What whoever verifies tokens has to know. */
export interface TokenReader {
  /** The key that a token names, if its header is one of ours; nothing is looked up anywhere else. */
  keyOf(token: string): KeyObject | undefined;
  /** What the claims of a token with a good signature say; undefined when they are not ones that we issue. Whether its time is over is for the caller to see. */
  readClaims(claims: unknown): AccessClaims | undefined;
}

export interface AccessTokens extends TokenReader {
  issue(principal: Principal): string;
  readonly expiresInSeconds: number;
  /** the names of the keys; the first one signs */
  readonly kids: readonly string[];
  readonly jwks: { readonly keys: readonly object[] };
}

/** Access tokens: JWTs (RFC 9068) signed with RS256. The first key signs, all verify. */
export function createAccessTokens(privateKeys: readonly string[], now: () => number): AccessTokens {
  const keys = privateKeys.map(toKey);
  const [signing] = keys;
  if (signing === undefined) throw new Error('An access token needs a key to be signed with.');
  const publicKeys = new Map(keys.map(({ kid, publicKey }) => [kid, publicKey]));
  return {
    ...createTokenReader((kid) => publicKeys.get(kid), now),
    issue: ({ userId, sessionId, tokenVersion, roles: userRoles }) => {
      const iat = Math.floor(now() / 1000);
      const claims = {
        iss: issuer,
        aud: audience,
        sub: userId,
        sid: sessionId,
        tv: tokenVersion,
        jti: randomUUID(),
        iat,
        exp: iat + lifetimeSeconds,
        roles: userRoles,
      };
      return jwt.sign(claims, signing.privateKey, { algorithm, header: { alg: algorithm, typ: type, kid: signing.kid } });
    },
    expiresInSeconds: lifetimeSeconds,
    kids: keys.map(({ kid }) => kid),
    jwks: { keys: keys.map(({ kid, jwk }) => ({ ...jwk, kid, use: 'sig', alg: algorithm })) },
  };
}

/** Reads tokens with the public keys that are known by then. */
export function createTokenReader(publicKeyOf: (kid: string) => KeyObject | undefined, now: () => number): TokenReader {
  return {
    keyOf: (token) => {
      if (token.length > maxAccessTokenLength || !hasCanonicalSignature(token)) return undefined;
      const header = headerSchema.safeParse(headerOf(token));
      return header.success ? publicKeyOf(header.data.kid) : undefined;
    },
    readClaims: (claims) => {
      const parsed = claimsSchema.safeParse(claims);
      if (!parsed.success) return undefined;
      const { sub, sid, tv, iat, exp, roles: userRoles } = parsed.data;
      const tooNew = iat * 1000 > now() + clockToleranceMs;
      if (tooNew || exp - iat > lifetimeSeconds) return undefined;
      return { principal: { userId: sub, sessionId: sid, tokenVersion: tv, roles: userRoles }, expiresAt: exp };
    },
  };
}

function toKey(pem: string) {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  // RFC 7638: the required members in this order, no spaces.
  const kid = createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
  return { kid, privateKey, publicKey, jwk: { kty, n, e } };
}

/** The `kid` of a key (RFC 7638). */
export function accessKeyId(pem: string): string {
  return toKey(pem).kid;
}

function headerOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
  } catch {
    return undefined;
  }
}

/** Base64url leaves bits unused at the end: without this, a token with other ones there would be good as well. */
function hasCanonicalSignature(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

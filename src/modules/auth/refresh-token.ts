import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Session } from './session-store.ts';

export interface PresentedToken {
  readonly keyId: string;
  readonly sessionId: string;
  readonly generation: number;
  readonly proof: string;
}

type Minted = Pick<Session, 'id' | 'generation' | 'keyId' | 'secret'>;

export type RefreshTokens = ReturnType<typeof createRefreshTokens>;

const form = /^([\w-]{11})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9][0-9]{0,14})\.([\w-]{43})$/;

/**
 * Refresh tokens: key id, session id, generation, and HMAC-SHA-256 under that key over session, generation and the session's
 * secret. Neither the keys nor the table alone can make one, and the same generation always has the same token.
 */
export function createRefreshTokens(secrets: readonly string[]) {
  const keys = new Map(secrets.map((secret) => [keyIdOf(secret), secret]));
  const newestKeyId = keyIdOf(secrets[0] ?? '');
  const proofOf = (secret: string, { id, generation, secret: sessionSecret }: Minted) =>
    createHmac('sha256', secret).update(`${id}.${generation}.${sessionSecret}`).digest('base64url');
  return {
    newestKeyId,
    /** newest first */
    keyIds: [...keys.keys()],
    /** Undefined when the session's key is not among the keys any more. */
    mint: (session: Minted): string | undefined => {
      const key = keys.get(session.keyId);
      return key && `${session.keyId}.${session.id}.${session.generation}.${proofOf(key, session)}`;
    },
    parse: (token: string): PresentedToken | undefined => {
      const [, keyId, sessionId, generation, proof] = form.exec(token) ?? [];
      if (keyId === undefined || sessionId === undefined || generation === undefined || proof === undefined) return undefined;
      return keys.has(keyId) ? { keyId, sessionId, generation: Number(generation), proof } : undefined;
    },
    /** Was the token made by us for this session? In constant time. */
    isGenuine: ({ keyId, sessionId, generation, proof }: PresentedToken, { secret }: Pick<Session, 'secret'>): boolean => {
      const key = keys.get(keyId);
      if (key === undefined) return false;
      return timingSafeEqual(Buffer.from(proof), Buffer.from(proofOf(key, { id: sessionId, generation, keyId, secret })));
    },
  };
}

/** Names a key without telling anything about it. */
export function keyIdOf(secret: string): string {
  return createHash('sha256').update(secret).digest().subarray(0, 8).toString('base64url');
}

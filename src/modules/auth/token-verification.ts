import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { BackgroundTask } from '../../shared/background.ts';
import type { Authenticate } from '../../shared/http-access.ts';
import { createTokenReader } from './access-token.ts';
import type { Auth } from './auth-api.ts';
import { createBearer } from './bearer.ts';
import { createKnownRevocations } from './revocations.ts';
import { createStopwatch } from './stopwatch.ts';

export interface TokenVerificationDependencies {
  /** the JSON Web Key Set of whoever issues the tokens (RFC 7517) */
  readonly fetchKeys: () => Promise<unknown>;
  readonly revocationsSince: Auth['revocationsSince'];
  readonly log: Logger;
  /** milliseconds since 1970 */
  readonly now?: () => number;
}

export interface TokenVerification {
  readonly authenticate: Authenticate;
  readonly tasks: readonly BackgroundTask[];
  /** Learns keys and revocations. @throws unavailable */
  start(): Promise<void>;
}

const keysEveryMs = 60_000;
const revocationsEveryMs = 2000;

const keySet = z.object({
  keys: z.array(z.object({ kid: z.string(), kty: z.literal('RSA'), n: z.string(), e: z.string() })).min(1),
});

/**
 * Verifies access tokens where they are not issued: with public keys alone, and what ended before its time. A token of a key that is
 * not known is refused without asking anybody: a new key is published long before it signs.
 */
export function createTokenVerification({
  fetchKeys,
  revocationsSince,
  log,
  now = Date.now,
}: TokenVerificationDependencies): TokenVerification {
  let keys: ReadonlyMap<string, KeyObject> = new Map();
  const revocations = createKnownRevocations({ readRecent: revocationsSince, elapsed: createStopwatch() }, log);
  const learnKeys = async () => {
    const { keys: found } = keySet.parse(await fetchKeys());
    keys = new Map(found.map(({ kid, kty, n, e }) => [kid, createPublicKey({ key: { kty, n, e }, format: 'jwk' })]));
  };
  const nothingMore = () => false;

  return {
    authenticate: createBearer({ accessTokens: createTokenReader((kid) => keys.get(kid), now), revocations, now }),
    tasks: [
      { name: 'auth-keys', everyMs: keysEveryMs, everywhere: true, run: () => learnKeys().then(nothingMore) },
      {
        name: 'auth-revocations',
        everyMs: revocationsEveryMs,
        everywhere: true,
        run: () => revocations.poll().then(nothingMore, nothingMore),
      },
    ],
    start: async () => void (await Promise.all([learnKeys(), revocations.poll()])),
  };
}

import { embedded, type Mutant } from './mutant.ts';

const refresh = 'src/modules/auth/refresh-session.ts';
const sessions = 'src/modules/auth/session-store.ts';
const revocations = 'src/modules/auth/revocations.ts';
const tokens = 'src/modules/auth/access-token.ts';
const race = (first: string, second: string) =>
  embedded(
    'auth-races',
    `a session that has ended never lives again, and one that has not goes on when "${first}" is interrupted anywhere by "${second}"`,
  );

/** One live refresh token for each session; what has ended is refused. */
export const sessionMutants: readonly Mutant[] = [
  {
    guard: 'a process that was paused does not go by a read that began before',
    file: revocations,
    text: 'if (finished && !isFresh())',
    mutation: 'if (false)',
    noticedBy: [
      embedded('revocations', 'revocations are read anew where the read under way began before the process was paused'),
    ],
  },
  {
    guard: 'a spent refresh token that comes back ends its session',
    file: refresh,
    text: 'return behind > 1 || (behind',
    mutation: 'return (behind',
    noticedBy: [embedded('sessions', 'refreshing with an older one ends the session even within the half minute')],
  },
  {
    guard: 'the predecessor is good for half a minute only',
    file: refresh,
    text: ' || (behind === 1 && now - session.rotatedAt > refreshGraceMs)',
    mutation: '',
    noticedBy: [embedded('sessions', 'refreshing with the predecessor after that ends the session at once')],
  },
  {
    guard: 'a refresh token is one that we made',
    file: refresh,
    text: ' || !refreshTokens.isGenuine(presented, session)',
    mutation: '',
    noticedBy: [embedded('sessions', 'refreshing refuses what is no refresh token, always with the same answer')],
  },
  {
    guard: 'a refresh token is compared in constant time',
    file: 'src/modules/auth/refresh-token.ts',
    text: 'timingSafeEqual(Buffer.from(proof), Buffer.from(proofOf(key, { id: sessionId, generation, keyId, secret })))',
    mutation: 'proof === proofOf(key, { id: sessionId, generation, keyId, secret })',
    noticedBy: [
      embedded(
        'refresh-token',
        'a forged refresh token is compared whole and in constant time: how long it takes tells nothing about the right one',
      ),
    ],
  },
  {
    guard: 'a refresh has the generation that was read in its condition',
    file: sessions,
    text: '{ equals: { generation: session.generation } }',
    mutation: '{}',
    noticedBy: [race('refresh own in one', 'refresh own twice')],
  },
  {
    guard: 'a refresh asks whether something has ended the session since',
    file: refresh,
    text: 'if (isCurrent(session, user)) return { session, user };',
    mutation: 'return { session, user };',
    noticedBy: [race('sign everything out', 'refresh other in one')],
  },
  {
    guard: 'a session is never set back to an older counter',
    file: sessions,
    text: '{ set: { token } }, { below: { token } }',
    mutation: '{ set: { token } }',
    noticedBy: [embedded('account-races', 'a change of a user that is finished late does not set its session back')],
  },
  {
    guard: 'a session ends when it was silent for too long',
    file: sessions,
    text: 'return session === undefined || isOver(session) ? undefined : session;',
    mutation: 'return session;',
    noticedBy: [embedded('sessions', 'refreshing ends after 30 days of silence')],
  },
  {
    guard: 'a session ends some day, however often it was refreshed',
    file: sessions,
    text: 'Math.min(createdAt + sessionLifetimeMs, rotatedAt + sessionIdleMs)',
    mutation: 'rotatedAt + sessionIdleMs',
    noticedBy: [embedded('sessions', 'refreshing ends 90 days after signing in, however often it happened')],
  },
  {
    guard: 'a session of somebody else is not found',
    file: 'src/modules/auth/sessions.ts',
    text: 'if (session === undefined || session.userId !== principal.userId)',
    mutation: 'if (session === undefined)',
    noticedBy: [embedded('sessions', 'one’s sessions are nobody else’s: a foreign one answers like an unknown one')],
  },
  {
    guard: 'a revoked access token is refused',
    file: 'src/modules/auth/bearer.ts',
    text: ' || revocations.isRevoked(claims.principal)',
    mutation: '',
    noticedBy: [embedded('sessions', 'signing out ends this session alone')],
  },
  {
    guard: 'the process that revokes honours it before it answers',
    file: revocations,
    text: 'note(revocation, await store.insert(revocation)),',
    mutation: 'void (await store.insert(revocation)),',
    noticedBy: [embedded('sessions', 'signing out ends this session alone')],
  },
  {
    guard: 'a revocation is written for all processes',
    file: 'src/modules/auth/revocation-store.ts',
    text: 'await revocations.insert(toItem(revocation, minute));',
    mutation: '',
    noticedBy: [embedded('revocations', 'revocations that are new are found by the next poll')],
  },
  {
    guard: 'a process whose last poll is long ago polls before it decides',
    file: 'src/modules/auth/bearer.ts',
    text: 'if (!revocations.isFresh()) await revocations.refresh();',
    mutation: '',
    noticedBy: [embedded('account-races', 'a change of a user is known to a process that has slept before it lets anybody in')],
  },
  {
    guard: 'all that may have come late is read once a minute, and after a sleep of minutes',
    file: revocations,
    text: 'const whole = startedAt - lastWholePoll >= wholeReadEveryMs;',
    mutation: 'const whole = lastWholePoll < 0;',
    noticedBy: [
      embedded('revocations', 'revocations that were written late are found within a minute'),
      embedded('revocations', 'a process whose last poll is long ago reads all twenty minutes when it has slept for several'),
    ],
  },
  {
    guard: 'a revocation that took too long to arrive is written again',
    file: 'src/modules/auth/revocation-store.ts',
    text: 'if (thisMinute() - minute < lateMinutes) return minute;',
    mutation: 'return minute;',
    noticedBy: [
      embedded('revocations', 'revocations whose row took too long to arrive are written again, where the others look'),
    ],
  },
  {
    guard: 'a request does not wait long for the store of revocations',
    file: revocations,
    text: 'return await Promise.race([done, late]);',
    mutation: 'return await done;',
    noticedBy: [embedded('revocations', 'a process whose last poll is long ago does not wait long for a store that hangs')],
  },
  {
    guard: 'an access token has an end, and is looked at again each time',
    file: 'src/modules/auth/bearer.ts',
    text: 'claims.expiresAt * 1000 <= now() || ',
    mutation: '',
    noticedBy: [
      embedded('access-tokens', 'an access token with its time over since a second is refused'),
      embedded('access-tokens', 'an access token that is remembered ends in time all the same'),
    ],
  },
  {
    guard: 'an access token lives for a quarter of an hour at most',
    file: tokens,
    text: ' || exp - iat > lifetimeSeconds',
    mutation: '',
    noticedBy: [embedded('access-tokens', 'an access token with a lifetime beyond a quarter of an hour is refused')],
  },
  {
    guard: 'an access token is not from the future',
    file: tokens,
    text: 'if (tooNew || ',
    mutation: 'if (',
    noticedBy: [embedded('access-tokens', 'an access token with an issue time of tomorrow is refused')],
  },
  {
    guard: 'a signature has one form',
    file: tokens,
    text: ' || !hasCanonicalSignature(token)',
    mutation: '',
    noticedBy: [embedded('access-tokens', 'an access token with any one character changed is refused')],
  },
  {
    guard: 'the header of an access token holds nothing that we do not understand',
    file: tokens,
    text: 'const headerSchema = z.strictObject(',
    mutation: 'const headerSchema = z.object(',
    noticedBy: [embedded('access-tokens', 'an access token whose header has an unknown critical extension is refused')],
  },
  {
    guard: 'an access token is of the type that we issue',
    file: tokens,
    text: 'typ: z.literal(type)',
    mutation: 'typ: z.string().optional()',
    noticedBy: [embedded('access-tokens', 'an access token whose header has another type is refused')],
  },
];

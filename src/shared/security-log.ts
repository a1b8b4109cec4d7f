import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';

/**
 * Everything that a watcher of the shop's security is told, by the member `security` of a line of the log: how serious it is and
 * what it says. No event carries a secret or a name; users are told by their id, which an erasure leaves without a person.
 */
const events = {
  registered: ['info', 'a user registered'],
  'signed-in': ['info', 'a user signed in'],
  'sign-in-failed': ['warn', 'wrong username or password'],
  'password-wrong': ['warn', 'a user who is signed in gave a wrong password'],
  'refresh-reused': ['error', 'a spent refresh token came back, its session ends'],
  'refresh-refused': ['warn', 'a refresh token was refused'],
  'signed-out': ['info', 'a user signed out'],
  'session-ended': ['info', 'a user signed another device out'],
  'password-changed': ['info', 'a user changed his password'],
  'account-erased': ['info', 'a user erased his account'],
  'account-deactivated': ['info', 'a user deactivated his account'],
  'roles-changed': ['warn', 'the roles of a user were set'],
  'account-restored': ['warn', 'an account was restored'],
  'password-reset': ['warn', 'an admin reset a password'],
  'users-read': ['info', 'an admin looked at users'],
  'first-admin': ['warn', 'there is an admin now'],
  'keys-loaded': ['info', 'the process knows these keys, the first ones make new tokens'],
  unauthenticated: ['warn', 'a request without a good access token was refused'],
  forbidden: ['warn', 'a user was refused for his role'],
  throttled: ['warn', 'a request was refused because there were too many'],
} as const;

export type SecurityEvent = keyof typeof events;

/** From where a request came that something security-relevant is done for. */
interface Caller {
  readonly requestId: string;
  readonly address: string;
}

const callers = new AsyncLocalStorage<Caller>();

/** Events that the work notes carry the request that it is done for. */
export function asCaller<T>({ requestId, address }: Caller, work: () => T): T {
  return callers.run({ requestId, address }, work);
}

/** Writes one event. Members are ids, roles and the like, never a secret. */
export function noteSecurity(log: Logger, security: SecurityEvent, members: Readonly<Record<string, unknown>>): void {
  const [level, message] = events[security];
  log[level]({ security, ...callers.getStore(), ...members }, message);
}

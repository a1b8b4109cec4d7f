const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;

/** Times of the module, in milliseconds, in one place. */
export const accessTokenLifetimeMs = 15 * minute;
/** how far another process's clock may be ahead of ours */
export const clockToleranceMs = 5 * second;
/** a session ends when it has not been refreshed for this long */
export const sessionIdleMs = 30 * day;
/** a session ends this long after signing in, however often it was refreshed */
export const sessionLifetimeMs = 90 * day;
/** the immediate predecessor of a refresh token gets the same successor again for this long */
export const refreshGraceMs = 30 * second;
/** a claimed name without a user may be taken over after this */
export const claimAgeMs = minute;
/** a deactivated account is erased after this */
export const deactivationMs = 30 * day;
/** a password that an admin had made may be used once and within this */
export const oneTimePasswordMs = day;

export const maxAccessTokenLength = 8192;
export const maxDeviceLength = 200;

/** Revocations are kept longer than an access token lives, with room for clocks that differ. */
export const keptMinutes = 20;
/** how far back a reader looks who has read lately */
export const lateMinutes = 2;

/** The contract of auth: what other modules may ask of it. Plain JSON-able data; `unavailable` when the store is down. */
export interface Auth {
  /** Users whose erasure is due, at most `limit`: other modules erase their part, then call `erased`. */
  usersToErase(limit: number): Promise<readonly { readonly userId: string }[]>;
  /** Ends the erasure of a user: the account is gone and its name free again. Idempotent. */
  erased(userId: string): Promise<void>;
  /** What is kept about a user, for his own export. @throws not-found */
  personalData(userId: string): Promise<PersonalData>;
  /** What ended access tokens before their time in the last minutes, at most 20, for those who verify tokens elsewhere. */
  revocationsSince(minutes: number): Promise<RecentRevocations>;
}

/** Access tokens of a user below a counter are over, but for those of one session; or all those of a session. */
export type Revocation =
  | { readonly userId: string; readonly lowestToken: number; readonly except?: string }
  | { readonly sessionId: string };

export interface RecentRevocations {
  /** minutes since 1970 by the store's clock */
  readonly thisMinute: number;
  readonly revocations: readonly { readonly minute: number; readonly revocation: Revocation }[];
}

export interface PersonalData {
  readonly user: {
    readonly id: string;
    readonly username: string;
    readonly roles: readonly string[];
    readonly createdAt: string;
  };
  readonly sessions: readonly {
    readonly id: string;
    readonly device: string;
    /** RFC 3339 UTC */
    readonly createdAt: string;
    readonly lastUsedAt: string;
  }[];
}

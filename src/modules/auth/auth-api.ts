/** The contract of auth: what other modules may ask of it. Plain JSON-able data; `unavailable` when the store is down. */
export interface Auth {
  /** Users whose erasure is due, at most `limit`: other modules erase their part, then call `erased`. */
  usersToErase(limit: number): Promise<readonly { readonly userId: string }[]>;
  /** Ends the erasure of a user: the account is gone and its name free again. Idempotent. */
  erased(userId: string): Promise<void>;
  /** What is kept about a user, for his own export. @throws not-found */
  personalData(userId: string): Promise<PersonalData>;
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

import type { Role } from '../../shared/principal.ts';

/** active → deactivated → erasing → gone, and from active straight to erasing; a restore leads back from deactivated */
export type UserState = 'active' | 'deactivated' | 'erasing';

export interface User {
  readonly id: string;
  /** as it is shown */
  readonly username: string;
  /** as it is compared, the key of the name's claim */
  readonly nameKey: string;
  readonly passwordHash: string;
  /** raised by every change of the password, the roles or the state; tokens and sessions carry it */
  readonly token: number;
  readonly roles: readonly Role[];
  readonly state: UserState;
  /** milliseconds since 1970, like all times here */
  readonly createdAt: number;
  /** the request that made the user, to tell after a lost answer */
  readonly requestId: string;
  /** the newest change, to tell after a lost answer */
  readonly changeId?: string;
  /** what is left to do about the newest change */
  readonly mark?: Mark;
  /** the password was made by an admin */
  readonly oneTime?: OneTimePassword;
  /** when a deactivated user becomes an erasing one, or the erasure of an erasing one is due */
  readonly eraseAt?: number;
}

export interface Mark {
  /** the session that goes on */
  readonly except?: string;
  /** the user has to be entered into the set of admins */
  readonly joinsAdmins: boolean;
}

export interface OneTimePassword {
  readonly until: number;
  /** the session that it was used for */
  readonly usedBy?: string;
}

/** What is left of an erased user, or stands where no user may be made any more. */
export interface GoneUser {
  readonly id: string;
  readonly state: 'gone';
  /** as long as the name is not free yet */
  readonly nameKey?: string;
}

export function isAdmin({ roles, state }: Pick<User, 'roles' | 'state'>): boolean {
  return state === 'active' && roles.includes('admin');
}

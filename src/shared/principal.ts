/** Roles contain each other: an admin may do what staff may, staff what a customer may. */
export const roles = ['customer', 'staff', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who makes a request, as his verified access token says. */
export interface Principal {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly Role[];
  /** the user's token counter that the access token carries (`tv`) */
  readonly tokenVersion: number;
}

/** Does one of the principal's roles contain the wanted one? */
export function hasRole(principal: Pick<Principal, 'roles'>, wanted: Role): boolean {
  return principal.roles.some((role) => roles.indexOf(role) >= roles.indexOf(wanted));
}

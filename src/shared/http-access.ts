import type { IncomingMessage } from 'node:http';
import { Failure } from './failure.ts';
import { headerCount } from './http-state.ts';
import type { Principal } from './principal.ts';
import { hasRole } from './principal.ts';
import type { Access } from './route.ts';

/** Finds out whom a bearer token speaks for. @throws unauthenticated (401) unless the token is valid now, unavailable (503) */
export type Authenticate = (token: string) => Promise<Principal>;

const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/** Who asks; nobody where a token is not needed and none was sent. @throws unauthenticated (401) */
export async function identify(
  request: IncomingMessage,
  access: Access,
  authenticate: Authenticate,
): Promise<Principal | undefined> {
  if (access === 'public') return undefined;
  const header = request.headers.authorization;
  if (header === undefined) {
    if (access === 'optional') return undefined;
    throw new Failure('unauthenticated', { detail: 'Send an access token: Authorization: Bearer TOKEN.' });
  }
  const token = headerCount(request, 'authorization') === 1 ? bearer.exec(header)?.[1] : undefined;
  if (token === undefined)
    throw new Failure('unauthenticated', { detail: 'The Authorization header has to be Bearer and one access token.' });
  return authenticate(token);
}

/** @throws forbidden (403) when the route is for a role that the caller does not have */
export function requireRole(principal: Principal | undefined, access: Access): void {
  if (access === 'public' || access === 'optional') return;
  if (principal === undefined || !hasRole(principal, access))
    throw new Failure('forbidden', { detail: `The role ${access} is needed.` });
}

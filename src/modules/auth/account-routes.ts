import type { Reply, Route } from '../../shared/route.ts';
import { route } from '../../shared/route.ts';
import type { AccountService } from './account-service.ts';
import { accountSchema, changePasswordBody, credentialsBody, passwordBody, registerBody, tokensSchema } from './auth-schema.ts';
import type { User } from './user.ts';

const tag = 'Accounts';
const signedIn = { description: 'Tokens and the user', body: tokensSchema };

/** Answers that are for one person: nobody on the way may keep them. */
export const personal = (status: number, body?: unknown): Reply => ({
  status,
  headers: { 'Cache-Control': 'private, no-store' },
  ...(body !== undefined && { body }),
});

export const instant = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** HTTP ↔ one's own account. */
export function accountRoutes(accounts: AccountService): readonly Route[] {
  return [...signUpRoutes(accounts), ...endRoutes(accounts), ...ownRoutes(accounts)];
}

function signUpRoutes(accounts: AccountService): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/api/auth/register',
      access: 'public',
      quota: 'register',
      tag,
      operationId: 'register',
      summary: 'Make an account and sign in',
      body: registerBody,
      replies: { 201: signedIn },
      problems: ['duplicate'],
      handle: async ({ body, userAgent }) => personal(201, await accounts.register(body, userAgent)),
    }),
    route({
      method: 'post',
      path: '/api/auth/login',
      access: 'public',
      quota: 'login',
      tag,
      operationId: 'login',
      summary: 'Sign in',
      description: 'Too many wrong passwords pause an account for a while, also for the right one. Sessions go on.',
      body: credentialsBody,
      replies: { 200: signedIn },
      problems: ['invalid-credentials', 'throttled'],
      handle: async ({ body, userAgent }) => personal(200, await accounts.login(body, userAgent)),
    }),
  ];
}

function endRoutes(accounts: AccountService): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/api/auth/delete',
      access: 'customer',
      quota: 'login',
      tag,
      operationId: 'eraseAccount',
      summary: 'Erase the account now',
      description: 'Sessions end at once; then what is personal is removed, also from orders, and the name is free again.',
      body: passwordBody,
      replies: { 204: { description: 'The account has ended' } },
      problems: ['invalid-credentials', 'last-admin', 'throttled'],
      handle: async ({ body, principal }) => {
        await accounts.erase(principal, body.password);
        return personal(204);
      },
    }),
    route({
      method: 'put',
      path: '/api/auth/delete',
      access: 'customer',
      quota: 'login',
      tag,
      operationId: 'deactivateAccount',
      summary: 'Deactivate the account',
      description: 'Nobody can sign in; it is erased after 30 days, and until then an admin can restore it.',
      body: passwordBody,
      replies: { 204: { description: 'The account is deactivated' } },
      problems: ['invalid-credentials', 'last-admin', 'throttled'],
      handle: async ({ body, principal }) => {
        await accounts.deactivate(principal, body.password);
        return personal(204);
      },
    }),
  ];
}

function ownRoutes(accounts: AccountService): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/auth/me',
      access: 'customer',
      quota: 'orders',
      tag,
      operationId: 'getAccount',
      summary: 'One’s own account',
      replies: { 200: { description: 'The account', body: accountSchema } },
      problems: [],
      handle: async ({ principal }) => personal(200, presentAccount(await accounts.me(principal))),
    }),
    route({
      method: 'put',
      path: '/api/auth/password',
      access: 'customer',
      quota: 'login',
      tag,
      operationId: 'changePassword',
      summary: 'Change the password; all other sessions end',
      body: changePasswordBody,
      replies: { 204: { description: 'The password is changed' } },
      problems: ['invalid-credentials', 'throttled'],
      handle: async ({ body, principal }) => {
        await accounts.changePassword(principal, body);
        return personal(204);
      },
    }),
  ];
}

function presentAccount({ id, username, roles, createdAt }: User) {
  return { id, username, roles, createdAt: instant(createdAt) };
}

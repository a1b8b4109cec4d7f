import { z } from 'zod';
import { idParameter } from '../../shared/identifier.ts';
import { pageOf } from '../../shared/page.ts';
import type { Route } from '../../shared/route.ts';
import { route } from '../../shared/route.ts';
import { instant, personal } from './account-routes.ts';
import { oneTimePasswordSchema, rolesBody, userSchema } from './auth-schema.ts';
import { beforeOf, listQuery, personalPage } from './session-routes.ts';
import type { User } from './user.ts';
import type { UserAdministration } from './user-administration.ts';

const common = { access: 'admin', quota: 'staff', tag: 'Users' } as const;
const path = '/api/auth/users';
const params = z.strictObject({ id: idParameter });
const oneUser = { 200: { description: 'The user', body: userSchema } };

/** HTTP ↔ the accounts of others, for admins. */
export function userRoutes(administration: UserAdministration): readonly Route[] {
  return [...readRoutes(administration), ...changeRoutes(administration)];
}

function readRoutes(administration: UserAdministration): readonly Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path,
      operationId: 'listUsers',
      summary: 'All users, the newest first',
      query: listQuery,
      replies: { 200: { description: 'A page of users', body: pageOf(userSchema), headers: { Link: 'The next page' } } },
      problems: [],
      handle: async ({ query: { limit, cursor }, principal, url }) => {
        const { users, next } = await administration.list(principal, limit, beforeOf(cursor));
        return personalPage({ data: users.map(presentUser), next }, url);
      },
    }),
    route({
      ...common,
      method: 'get',
      path: `${path}/{id}`,
      operationId: 'getUser',
      summary: 'One user',
      params,
      replies: oneUser,
      problems: ['not-found'],
      handle: async ({ params: { id }, principal }) => personal(200, presentUser(await administration.read(principal, id))),
    }),
  ];
}

function changeRoutes(administration: UserAdministration): readonly Route[] {
  return [
    route({
      ...common,
      method: 'put',
      path: `${path}/{id}/roles`,
      operationId: 'setRoles',
      summary: 'Set the roles of a user; his sessions end',
      params,
      body: rolesBody,
      replies: oneUser,
      problems: ['not-found', 'last-admin', 'illegal-transition'],
      handle: async ({ params: { id }, body, principal }) =>
        personal(200, presentUser(await administration.setRoles(principal, id, body.roles))),
    }),
    route({
      ...common,
      method: 'post',
      path: `${path}/{id}/restore`,
      operationId: 'restoreUser',
      summary: 'Bring a deactivated account back',
      params,
      replies: oneUser,
      problems: ['not-found', 'illegal-transition'],
      handle: async ({ params: { id }, principal }) => personal(200, presentUser(await administration.restore(principal, id))),
    }),
    route({
      ...common,
      method: 'post',
      path: `${path}/{id}/reset-password`,
      operationId: 'resetPassword',
      summary: 'Give a user a one-time password; his sessions end',
      description: 'It signs in once, within a day; the user then has to choose one of his own to sign in again.',
      params,
      replies: { 200: { description: 'The password, shown only here', body: oneTimePasswordSchema } },
      problems: ['not-found', 'illegal-transition'],
      handle: async ({ params: { id }, principal }) => {
        const { password, expiresAt } = await administration.resetPassword(principal, id);
        return personal(200, { password, expiresAt: instant(expiresAt) });
      },
    }),
  ];
}

function presentUser({ id, username, roles, state, createdAt, eraseAt }: User) {
  const due = state === 'deactivated' && eraseAt !== undefined && { eraseAt: instant(eraseAt) };
  return { id, username, roles, state, createdAt: instant(createdAt), ...due };
}

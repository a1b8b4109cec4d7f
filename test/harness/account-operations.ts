import { newId } from '../../src/shared/identifier.ts';
import { count, limitOf, type NotedShop, type Operation, times } from './noted-shop.ts';
import type { Account } from './shop.ts';

/** More devices of a user, one or many. */
export async function makeSessions({ shop }: NotedShop, { username, password }: Account, many: boolean): Promise<void> {
  await times(count(many), () => shop.signIn(username, password));
}

/** Those of one's own account. */
export function accountOperations(): Readonly<Record<string, Operation>> {
  const password = 'a fine long password';
  return {
    register: async ({ shop }) => {
      const username = newId();
      return () => shop.api.post('/api/auth/register').send({ username, password }).expect(201);
    },
    login: async ({ shop }) => {
      const account = await shop.signUp();
      const credentials = { username: account.username, password: account.password };
      return () => shop.api.post('/api/auth/login').send(credentials).expect(200);
    },
    refresh: async ({ shop }) => {
      const { refreshToken } = await shop.signUp();
      return () => shop.api.post('/api/auth/refresh').send({ refreshToken }).expect(200);
    },
    logout: async (noted, many) => {
      const account = await noted.shop.signUp();
      await makeSessions(noted, account, many);
      return () => account.api.post('/api/auth/logout').send({ all: true }).expect(204);
    },
    eraseAccount: async (noted, many) => {
      const account = await noted.shop.signUp();
      await makeSessions(noted, account, many);
      return () => account.api.post('/api/auth/delete').send({ password: account.password }).expect(204);
    },
    deactivateAccount: async (noted, many) => {
      const account = await noted.shop.signUp();
      await makeSessions(noted, account, many);
      return () => account.api.put('/api/auth/delete').send({ password: account.password }).expect(204);
    },
    getAccount: async ({ shop }) => {
      const { api } = await shop.signUp();
      return () => api.get('/api/auth/me').expect(200);
    },
    changePassword: async (noted, many) => {
      const account = await noted.shop.signUp();
      await makeSessions(noted, account, many);
      const body = { currentPassword: account.password, newPassword: password };
      return () => account.api.put('/api/auth/password').send(body).expect(204);
    },
    listSessions: async (noted, many) => {
      const account = await noted.shop.signUp();
      await makeSessions(noted, account, many);
      return () => account.api.get(`/api/auth/sessions?limit=${limitOf(many)}`).expect(200);
    },
    endSession: async ({ shop }) => {
      const account = await shop.signUp();
      const { api } = await shop.signIn(account.username, account.password);
      const { body } = await api.get('/api/auth/sessions').expect(200);
      const { id } = body.data.find(({ current }: { current: boolean }) => !current);
      return () => api.delete(`/api/auth/sessions/${id}`).expect(204);
    },
  };
}

/** Those of admins. */
export function userOperations(): Readonly<Record<string, Operation>> {
  return {
    listUsers: async ({ shop }, many) => {
      const { api } = await shop.admin();
      await times(count(many), () => shop.signUp());
      return () => api.get(`/api/auth/users?limit=${limitOf(many)}`).expect(200);
    },
    getUser: async ({ shop }) => {
      const { api } = await shop.admin();
      const { id } = await shop.signUp();
      return () => api.get(`/api/auth/users/${id}`).expect(200);
    },
    setRoles: async (noted, many) => {
      const { api } = await noted.shop.admin();
      const account = await noted.shop.signUp();
      await makeSessions(noted, account, many);
      return () =>
        api
          .put(`/api/auth/users/${account.id}/roles`)
          .send({ roles: ['staff'] })
          .expect(200);
    },
    restoreUser: async ({ shop }) => {
      const { api } = await shop.admin();
      const account = await shop.signUp();
      await account.api.put('/api/auth/delete').send({ password: account.password }).expect(204);
      return () => api.post(`/api/auth/users/${account.id}/restore`).expect(200);
    },
    resetPassword: async (noted, many) => {
      const { api } = await noted.shop.admin();
      const account = await noted.shop.signUp();
      await makeSessions(noted, account, many);
      return () => api.post(`/api/auth/users/${account.id}/reset-password`).expect(200);
    },
  };
}

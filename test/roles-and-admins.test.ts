import type { Response } from 'supertest';
import { type Account, type Shop, startShop } from './harness/shop.ts';

let shop: Shop;
let admin: Account;
beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());
beforeEach(async () => {
  admin = await shop.signIn('admin', 'the first admin of all');
});

const setRoles = (by: Account, id: string, roles: unknown) => by.api.put(`/api/auth/users/${id}/roles`).send({ roles });
const refresh = ({ refreshToken }: Account) => shop.api.post('/api/auth/refresh').send({ refreshToken });

describe('roles', () => {
  it('are set by an admin, and the user signs in again with them', async () => {
    const user = await shop.signUp();
    const { body, headers } = await setRoles(admin, user.id, ['staff', 'customer']).expect(200);
    expect(body).toEqual({
      id: user.id,
      username: user.username,
      roles: ['customer', 'staff'],
      state: 'active',
      createdAt: expect.any(String),
    });
    expect(headers['cache-control']).toBe('private, no-store');
    await user.api.get('/api/auth/me').expect(401);
    await refresh(user).expect(401);
    const again = await shop.signIn(user.username, user.password);
    expect((await again.api.get('/api/auth/me').expect(200)).body.roles).toEqual(['customer', 'staff']);
  });

  it('that a user has already change nothing', async () => {
    const user = await shop.signUp();
    await setRoles(admin, user.id, ['customer']).expect(200);
    await user.api.get('/api/auth/me').expect(200);
    await refresh(user).expect(200);
  });

  it.each([[[]], [['root']], ['admin'], [['customer', 'staff', 'admin', 'customer']], [null], [[['admin']]]])(
    'can not be %j',
    async (roles) => {
      const user = await shop.signUp();
      await setRoles(admin, user.id, roles).expect(422);
    },
  );

  it('are only for admins to set, also one’s own', async () => {
    const user = await shop.signUp();
    const staff = await shop.staff();
    for (const account of [user, staff]) {
      expect((await setRoles(account, account.id, ['admin']).expect(403)).body.type).toBe('/problems/forbidden');
      await account.api.get('/api/auth/users').expect(403);
      await account.api.get(`/api/auth/users/${user.id}`).expect(403);
      await account.api.post(`/api/auth/users/${user.id}/restore`).expect(403);
      await account.api.post(`/api/auth/users/${user.id}/reset-password`).expect(403);
    }
    await shop.api.get('/api/auth/users').expect(401);
    expect((await user.api.get('/api/auth/me').expect(200)).body.roles).toEqual(['customer']);
  });

  it('of somebody unknown are 404', async () => {
    await setRoles(admin, '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', ['staff']).expect(404);
    await setRoles(admin, '1', ['staff']).expect(400);
  });
});

describe('the last admin', () => {
  it('stays, whatever he does', async () => {
    for (const change of [
      setRoles(admin, admin.id, ['staff']),
      admin.api.post('/api/auth/delete').send({ password: admin.password }),
      admin.api.put('/api/auth/delete').send({ password: admin.password }),
    ]) {
      expect((await change.expect(409)).body.type).toBe('/problems/last-admin');
    }
    await admin.api.get('/api/auth/users').expect(200);
    await refresh(admin).expect(200);
  });

  it('may go when there is another one', async () => {
    const heir = await shop.signUp();
    await setRoles(admin, heir.id, ['admin']).expect(200);
    const crowned = await shop.signIn(heir.username, heir.password);
    await setRoles(crowned, admin.id, ['customer']).expect(200);
    await setRoles(crowned, crowned.id, ['customer']).expect(409);
    await setRoles(crowned, admin.id, ['admin']).expect(200);
    await setRoles(crowned, crowned.id, ['customer']).expect(200);
    await crowned.api.get('/api/auth/users').expect(401);
  });

  it('is one of two who take each other’s role at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, username, password } = await shop.signUp();
      await setRoles(admin, id, ['admin']).expect(200);
      const rival = await shop.signIn(username, password);
      const answers = await Promise.all([setRoles(admin, rival.id, ['customer']), setRoles(rival, admin.id, ['customer'])]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const left = answers[0]?.status === 200 ? admin : rival;
      const { api } = await shop.signIn(left.username, left.password);
      const { body } = await api.get('/api/auth/users?limit=100').expect(200);
      expect(body.data.filter(({ roles }: { roles: string[] }) => roles.includes('admin'))).toHaveLength(1);
      if (left === rival) {
        await api
          .put(`/api/auth/users/${admin.id}/roles`)
          .send({ roles: ['admin'] })
          .expect(200);
        await api
          .put(`/api/auth/users/${rival.id}/roles`)
          .send({ roles: ['customer'] })
          .expect(200);
        admin = await shop.signIn(admin.username, admin.password);
      }
    }
  });
});

describe('users', () => {
  it('are listed, the newest first, page by page, each once', async () => {
    const made = [];
    for (let index = 0; index < 5; index++) made.unshift((await shop.signUp()).id);
    const seen: string[] = [];
    let next: string | undefined = '/api/auth/users?limit=2';
    while (next !== undefined) {
      const { body, headers }: Response = await admin.api.get(next).expect(200);
      expect(body.data.length).toBeLessThanOrEqual(2);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      next = /<([^>]+)>; rel="next"/.exec(headers.link ?? '')?.[1];
    }
    expect(seen.slice(0, 5)).toEqual(made);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toContain(admin.id);
  });

  it('are shown one by one', async () => {
    const user = await shop.signUp();
    const { body } = await admin.api.get(`/api/auth/users/${user.id}`).expect(200);
    expect(body).toEqual({
      id: user.id,
      username: user.username,
      roles: ['customer'],
      state: 'active',
      createdAt: expect.any(String),
    });
    await admin.api.get('/api/auth/users/019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f').expect(404);
  });
});

describe('a password that an admin resets', () => {
  it('ends the sessions and signs in once', async () => {
    const user = await shop.signUp();
    const { body } = await admin.api.post(`/api/auth/users/${user.id}/reset-password`).expect(200);
    expect(body).toEqual({ password: expect.any(String), expiresAt: expect.any(String) });
    await user.api.get('/api/auth/me').expect(401);
    await refresh(user).expect(401);
    await shop.api.post('/api/auth/login').send({ username: user.username, password: user.password }).expect(401);

    const attempts = await Promise.all(
      Array.from({ length: 5 }, () =>
        shop.api.post('/api/auth/login').send({ username: user.username, password: body.password }),
      ),
    );
    expect(attempts.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401]);
    const tokens = attempts.find(({ status }) => status === 200)?.body;
    const newPassword = 'one that he chose himself';
    await shop
      .withToken(tokens.accessToken)
      .put('/api/auth/password')
      .send({ currentPassword: body.password, newPassword })
      .expect(204);
    await shop.signIn(user.username, newPassword);
    await shop.signIn(user.username, newPassword);
  });

  it('is never logged', async () => {
    const user = await shop.signUp();
    const { body } = await admin.api.post(`/api/auth/users/${user.id}/reset-password`).expect(200);
    expect(shop.log.join('\n')).not.toContain(body.password);
  });
});

describe('the first admin', () => {
  it('keeps the password that he has chosen since, whatever the setting says', async () => {
    const other = await startShop();
    try {
      const first = await other.admin();
      await first.api
        .put('/api/auth/password')
        .send({ currentPassword: first.password, newPassword: 'chosen by the admin' })
        .expect(204);
      await other.restart();
      await other.api.post('/api/auth/login').send({ username: first.username, password: first.password }).expect(401);
      await other.signIn(first.username, 'chosen by the admin');
    } finally {
      await other.stop();
    }
  });
});

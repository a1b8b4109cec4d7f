import bcrypt from 'bcrypt';
import { attacksOn } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { eventually } from './harness/eventually.ts';
import type { Shop } from './harness/shop.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
let counter = 0;
const aName = () => {
  counter += 1;
  return `guest.${counter}`;
};
const register = (shop: Shop, username: string, password: unknown) =>
  shop.api.post('/api/auth/register').send({ username, password });
const login = (shop: Shop, username: string, password: unknown) => shop.api.post('/api/auth/login').send({ username, password });
const password = 'a fine long password';

describe('choosing a password', () => {
  attack('L-01', async (shop) => {
    const { body } = await register(shop, aName(), 'elf letters').expect(422);
    expect(body.errors).toMatchObject([{ pointer: '/password' }]);
    // twelve units of UTF-16 are six characters
    await register(shop, aName(), '🦀🐙🦑🐡🐠🐟').expect(422);
  });
  attack('L-02', async (shop) => {
    for (const word of [
      'Ελληνικές λέξεις',
      '日本語のとても長い合言葉',
      'only letters here',
      '🦀🐙🦑🐡🐠🐟🦈🐬🐳🐋🦭🐊',
      'ж'.repeat(3) + 'любовь к жизни '.repeat(4),
    ]) {
      const username = aName();
      await register(shop, username, word).expect(201);
      await login(deployment.other(shop), username, word).expect(200);
    }
  });
  attack('L-04', async (shop) => {
    await register(shop, aName(), 'a fine long pw\0A').expect(422);
    // what bcrypt alone would not see: it stops after 72 bytes
    const username = aName();
    await register(shop, username, `${'a fine long password '.repeat(5)}A`).expect(201);
    await login(shop, username, `${'a fine long password '.repeat(5)}B`).expect(401);
  });
  attack('L-05', async (shop) => {
    const username = `very.long.name.${aName()}`;
    for (const word of [
      'password123456789',
      username,
      'shop shop shop',
      'shop1234567890',
      'abcdefghijklmn',
      'qwertyuiop12345',
      'aaaaaaaaaaaaaaa',
    ])
      expect({ word, answer: (await register(shop, username, word)).body.errors }).toMatchObject({
        word,
        answer: [{ pointer: '/password' }],
      });
  });
  attack('L-14', async (shop) => {
    const { username } = await shop.signUp();
    const { api } = await shop.signUp();
    const [compare, hash] = [jest.spyOn(bcrypt, 'compare'), jest.spyOn(bcrypt, 'hash')];
    for (const odd of [{ a: 1 }, ['x'], 1, true, null, undefined, 'x'.repeat(5000)]) {
      await login(shop, username, odd).expect(422);
      await register(shop, aName(), odd).expect(422);
      await api.post('/api/auth/delete').send({ password: odd }).expect(422);
      await api.put('/api/auth/password').send({ currentPassword: odd, newPassword: odd }).expect(422);
    }
    await login(shop, username, 'x'.repeat(1_000_000)).expect(413);
    expect([compare.mock.calls, hash.mock.calls]).toEqual([[], []]);
    compare.mockRestore();
    hash.mockRestore();
  });
});

describe('names', () => {
  attack('L-08', async (shop) => {
    const { username } = await shop.signUp();
    expect((await register(deployment.other(shop), username, password).expect(409)).body.type).toBe('/problems/duplicate');
  });
  attack('L-09', async (shop) => {
    const name = `Race.${aName()}`;
    const spellings = [name, name.toUpperCase(), name.toLowerCase()];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        register(index % 2 ? shop : deployment.other(shop), spellings[index % 3] ?? name, password),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    // a crowd may be told to come again later, but nobody gets the name twice
    expect(statuses.filter((status) => status !== 201 && status !== 409 && status !== 503)).toEqual([]);
    expect(statuses.filter((status) => status === 409).length).toBeGreaterThan(40);
    const { api } = await shop.admin();
    const { body } = await api.get('/api/auth/users?limit=100').expect(200);
    expect(body.data.filter(({ username }: { username: string }) => username.toLowerCase() === name.toLowerCase())).toHaveLength(
      1,
    );
  });
});

describe('signing in', () => {
  attack('L-06', async (shop) => {
    const username = aName();
    await register(shop, username, password).expect(201);
    for (const almost of [` ${password}`, `${password} `, password.toUpperCase(), password.slice(0, -1), `${password}\u200b`])
      expect((await login(shop, username, almost).expect(401)).body.type).toBe('/problems/invalid-credentials');
    await login(shop, username, password).expect(200);
  });
  attack('L-16', async (shop) => {
    const user = await shop.signUp();
    const admin = await shop.admin();
    const answers = [
      await login(shop, user.username, user.password).expect(200),
      await user.api.get('/api/auth/me').expect(200),
      await user.api.get('/api/auth/me/export').expect(200),
      await user.api.get('/api/auth/sessions').expect(200),
      await admin.api.get('/api/auth/users').expect(200),
      await admin.api.get(`/api/auth/users/${user.id}`).expect(200),
    ];
    for (const { text } of answers) expect(text).not.toMatch(/"[^"]*(?:password|hash|secret|pepper)[^"]*":|\$2[aby]\$/i);
  });
  attack('L-17', async (shop) => {
    const user = await shop.signUp();
    const elsewhere = await deployment.other(shop).signIn(user.username, user.password);
    const change = (currentPassword: string) =>
      user.api.put('/api/auth/password').send({ currentPassword, newPassword: 'another fine long one' });
    expect((await change('not the password').expect(401)).body.type).toBe('/problems/invalid-credentials');
    await elsewhere.api.get('/api/auth/me').expect(200);
    await change(user.password).expect(204);
    await user.api.get('/api/auth/me').expect(200);
    await eventually(() => elsewhere.api.get('/api/auth/me').expect(401));
    await shop.api.post('/api/auth/refresh').send({ refreshToken: elsewhere.refreshToken }).expect(401);
    await login(deployment.other(shop), user.username, user.password).expect(401);
    await login(deployment.other(shop), user.username, 'another fine long one').expect(200);
  });
});

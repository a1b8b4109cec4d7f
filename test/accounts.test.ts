import bcrypt from 'bcrypt';
import { type Shop, startShop } from './harness/shop.ts';

const password = 'a fine long password';
let shop: Shop;
beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());

const register = (username: unknown, word: unknown = password) =>
  shop.api.post('/api/auth/register').send({ username, password: word });
const login = (username: unknown, word: unknown = password) =>
  shop.api.post('/api/auth/login').send({ username, password: word });

describe('signing up', () => {
  it('answers tokens and the user, and signs in', async () => {
    const { body, headers } = await register('Ada').expect(201);
    expect(body).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      tokenType: 'Bearer',
      expiresIn: 900,
      user: { id: expect.any(String), username: 'Ada', roles: ['customer'] },
    });
    expect(headers['cache-control']).toBe('private, no-store');
    const me = await shop.withToken(body.accessToken).get('/api/auth/me').expect(200);
    expect(me.body).toEqual({ id: body.user.id, username: 'Ada', roles: ['customer'], createdAt: expect.any(String) });
    expect(me.headers['cache-control']).toBe('private, no-store');
  });

  it.each([
    ['case', 'Grace', 'gRACE'],
    ['sharp s', 'Straße', 'STRASSE'],
    ['final sigma', 'Οδυσσεύς', 'ΟΔΥΣΣΕΎΣ'],
    ['full width', 'hopper', 'ｈｏｐｐｅｒ'],
    ['composition', 'Zoë.z', 'Zoe\u0308.z'],
  ])('takes names that differ in %s alone for one', async (_what, first, second) => {
    await register(first).expect(201);
    expect((await register(second).expect(409)).body.type).toBe('/problems/duplicate');
    await login(second).expect(200);
  });

  it('shows a name in its compatible form', async () => {
    expect((await register('ｋａｔｈｅｒｉｎｅ').expect(201)).body.user.username).toBe('katherine');
  });

  it.each([
    'ab',
    'a'.repeat(65),
    'with space',
    'tab\tbed',
    'a/b/c',
    'zero\u200bwidth',
    'right\u202eleft',
    '\u0301accent',
    '🎈🎈🎈',
    '',
    7,
    null,
    ['ada'],
  ])('refuses the name %j', async (name) => {
    const { body } = await register(name).expect(422);
    expect(body.errors[0].pointer).toBe('/username');
  });

  it.each(['李小龍', 'पूजा', 'محمد', 'x.y_z@home+1-2', '123', 'a'.repeat(64)])('takes the name %s', async (name) => {
    await register(name).expect(201);
  });

  it('lets one of thirty have a name, and refuses the others', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => register(index % 2 ? 'Highlander' : 'hIGHLANDER')),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 29 }, () => 409)]);
    expect((await login('highlander').expect(200)).body.user.id).toBe(answers.find(({ status }) => status === 201)?.body.user.id);
  });

  it('takes nothing but a name and a password', async () => {
    const { body } = await shop.api
      .post('/api/auth/register')
      .send({ username: 'eve', password, roles: ['admin'] })
      .expect(422);
    expect(body.errors[0].pointer).toBe('/roles');
  });
});

describe('choosing a password', () => {
  it.each([
    ['eleven characters', 'elevenchars'],
    ['eleven characters of two units each', '🎈'.repeat(11)],
    ['129 characters', `${'long'.repeat(32)}!`],
    ['a common one', 'qwertyuiop12'],
    ['a common one in other case', 'Administrator'],
    ['a common one with digits', 'password123456789'],
    ['the name of the shop', 'shop12345678'],
    ['digits in order', '012345678901'],
    ['one piece over and over', 'abcabcabcabc'],
    ['a number', 123456789012],
    ['an object', { $gt: '' }],
  ])('refuses %s', async (_what, word) => {
    const { body } = await register('picky', word).expect(422);
    expect(body.errors[0].pointer).toBe('/password');
    expect(JSON.stringify(body)).not.toContain(String(word));
  });

  it('refuses the username', async () => {
    await register('Marie.Curie.1867', 'marie.curie.1867').expect(422);
  });

  it.each([
    ['only spaces between', 'correct horse battery staple'],
    ['emoji', '🎈🎉🎁🎊🎀🪄🧨🎇🎆✨🪅🥳'],
    ['128 characters', 'Lorem ipsum, dolor sit amet! '.repeat(5).slice(0, 128)],
    ['no digit', 'kdjfhgksjdhfgk'],
  ])('takes %s', async (what, word) => {
    const name = what.replaceAll(' ', '.');
    await register(name, word).expect(201);
    await login(name, word).expect(200);
  });

  it('counts every character of it', async () => {
    const long = 'пароль из многих букв '.repeat(5).slice(0, 100);
    await register('tolstoy', `${long}А`).expect(201);
    await login('tolstoy', `${long}Б`).expect(401);
    await login('tolstoy', long).expect(401);
    await login('tolstoy', `${long}А`).expect(200);
  });

  it('tells characters apart that look like nothing', async () => {
    await register('invisible', `${password}\u200bA`).expect(201);
    await login('invisible', `${password}\u200bB`).expect(401);
    await login('invisible', `${password}\u200bA `).expect(401);
    await login('invisible', `${password.toUpperCase()}\u200bA`).expect(401);
    await login('invisible', `${password}\u200bA`).expect(200);
  });

  it('does not mind how a keyboard composes it', async () => {
    await register('composer', 'Dvořák wrote nine').expect(201);
    await login('composer', 'Dvořák wrote nine'.normalize('NFD')).expect(200);
  });
});

describe('signing in', () => {
  it('answers a wrong password and an unknown name alike, with the same work', async () => {
    await register('kurt').expect(201);
    const compare = jest.spyOn(bcrypt, 'compare');
    const wrong = await login('kurt', 'not the password at all').expect(401);
    const unknown = await login('nobody.at.all', 'not the password at all').expect(401);
    const [known, dummy] = compare.mock.calls.map(([, hash]) => hash);
    compare.mockRestore();
    expect({ ...unknown.body, instance: '' }).toEqual({ ...wrong.body, instance: '' });
    expect(wrong.body.type).toBe('/problems/invalid-credentials');
    expect(wrong.headers['www-authenticate']).toContain('Bearer');
    expect(Object.keys(unknown.headers).toSorted()).toEqual(Object.keys(wrong.headers).toSorted());
    expect(bcrypt.getRounds(String(dummy))).toBe(bcrypt.getRounds(String(known)));
    expect(dummy).not.toBe(known);
  });

  it.each([['x'.repeat(5000)], [{ a: 1 }], [null]])('does no work for %j', async (word) => {
    const compare = jest.spyOn(bcrypt, 'compare');
    await login('kurt', word).expect(422);
    expect(compare).not.toHaveBeenCalled();
    compare.mockRestore();
  });

  it('never shows a password or its hash', async () => {
    const { body } = await register('quiet').expect(201);
    const mine = shop.withToken(body.accessToken);
    const admin = await shop.admin();
    const answers = [
      body,
      (await mine.get('/api/auth/me')).body,
      (await mine.get('/api/auth/sessions')).body,
      (await admin.api.get('/api/auth/users')).body,
    ];
    expect(JSON.stringify(answers)).not.toMatch(/hash|\$2b\$|secret/i);
    expect(JSON.stringify(shop.log)).not.toMatch(/\$2b\$|a fine long password/);
  });
});

describe('changing the password', () => {
  it('wants the present one, ends the other sessions and keeps its own', async () => {
    const here = await shop.signUp('rosalind', password);
    const there = await shop.signIn('rosalind', password);
    const change = { currentPassword: password, newPassword: 'photograph fifty-one' };
    const wrong = await here.api
      .put('/api/auth/password')
      .send({ ...change, currentPassword: 'photograph fifty-two' })
      .expect(401);
    expect(wrong.body.type).toBe('/problems/invalid-credentials');
    await there.api.get('/api/auth/me').expect(200);

    await here.api.put('/api/auth/password').send(change).expect(204);
    await there.api.get('/api/auth/me').expect(401);
    await shop.api.post('/api/auth/refresh').send({ refreshToken: there.refreshToken }).expect(401);
    await here.api.get('/api/auth/me').expect(200);
    const renewed = await shop.api.post('/api/auth/refresh').send({ refreshToken: here.refreshToken }).expect(200);
    await shop.withToken(renewed.body.accessToken).get('/api/auth/me').expect(200);
    await login('rosalind').expect(401);
    await login('rosalind', change.newPassword).expect(200);
  });

  it('holds the new one to the same rules', async () => {
    const { api } = await shop.signUp('franklin', password);
    const { body } = await api
      .put('/api/auth/password')
      .send({ currentPassword: password, newPassword: 'password1234' })
      .expect(422);
    expect(body.errors[0].pointer).toBe('/newPassword');
  });

  it('happens once when many try at once', async () => {
    const account = await shop.signUp('maxwell', password);
    const words = Array.from({ length: 5 }, (_, index) => `number ${index} of the demons`);
    const answers = await Promise.all(
      words.map((newPassword) => account.api.put('/api/auth/password').send({ currentPassword: password, newPassword })),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    const good = await Promise.all(words.map((word) => login('maxwell', word)));
    expect(good.map(({ status }) => status === 200)).toEqual(answers.map(({ status }) => status === 204));
  });
});

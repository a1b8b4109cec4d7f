import { type Shop, startShop } from './harness/shop.ts';

const seconds = 1000;
const days = 24 * 60 * 60 * seconds;
let offset = 0;
let shop: Shop;
beforeAll(async () => {
  shop = await startShop({ overrides: { now: () => Date.now() + offset } });
});
afterEach(() => {
  offset = 0;
});
afterAll(() => shop.stop());

const refresh = (refreshToken: unknown) => shop.api.post('/api/auth/refresh').send({ refreshToken });
const me = (token: string) => shop.withToken(token).get('/api/auth/me');

describe('refreshing', () => {
  it('answers new tokens for the same session', async () => {
    const account = await shop.signUp();
    const { body, headers } = await refresh(account.refreshToken).expect(200);
    expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: 900, user: { id: account.id, username: account.username } });
    expect(headers['cache-control']).toBe('private, no-store');
    expect(body.refreshToken).not.toBe(account.refreshToken);
    await me(body.accessToken).expect(200);
    const { body: list } = await account.api.get('/api/auth/sessions').expect(200);
    expect(list.data).toHaveLength(1);
  });

  it('twenty times at once yields one successor', async () => {
    const account = await shop.signUp();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(account.refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
    await refresh(answers[0]?.body.refreshToken).expect(200);
  });

  it('with the predecessor yields the same successor for half a minute, for a client that lost the answer', async () => {
    const account = await shop.signUp();
    const first = await refresh(account.refreshToken).expect(200);
    offset = 29 * seconds;
    expect((await refresh(account.refreshToken).expect(200)).body.refreshToken).toBe(first.body.refreshToken);
  });

  it('with the predecessor after that ends the session at once', async () => {
    const account = await shop.signUp();
    const first = await refresh(account.refreshToken).expect(200);
    offset = 32 * seconds;
    const { body } = await refresh(account.refreshToken).expect(401);
    expect(body.type).toBe('/problems/invalid-refresh-token');
    await refresh(first.body.refreshToken).expect(401);
    await me(first.body.accessToken).expect(401);
    await me(account.accessToken).expect(401);
    expect(shop.log.some((line) => line.includes('refresh-reused') && line.includes(account.id))).toBe(true);
  });

  it('with an older one ends the session even within the half minute', async () => {
    const account = await shop.signUp();
    const second = await refresh(account.refreshToken).expect(200);
    const third = await refresh(second.body.refreshToken).expect(200);
    await refresh(account.refreshToken).expect(401);
    await refresh(third.body.refreshToken).expect(401);
    await me(third.body.accessToken).expect(401);
  });

  it('ends nobody else’s session', async () => {
    const thief = await shop.signUp();
    const owner = await shop.signUp();
    const [keyId, , , proof] = thief.refreshToken.split('.');
    const [, session] = owner.refreshToken.split('.');
    for (const generation of ['1', '2', '3']) await refresh([keyId, session, generation, proof].join('.')).expect(401);
    await refresh(owner.refreshToken).expect(200);
  });

  it('refuses what is no refresh token, always with the same answer', async () => {
    const account = await shop.signUp();
    const [keyId, session, generation, proof = ''] = account.refreshToken.split('.');
    const forged = [
      '',
      'x'.repeat(10_000),
      account.accessToken,
      [keyId, session, '2', proof].join('.'),
      [keyId, session, generation, `${proof.slice(0, -1)}${proof.endsWith('A') ? 'B' : 'A'}`].join('.'),
      [keyId, session, `0${generation}`, proof].join('.'),
      [keyId?.toUpperCase(), session, generation, proof].join('.'),
      `${account.refreshToken} `,
      `${account.refreshToken}.x`,
    ];
    const bodies = [];
    for (const token of forged) bodies.push({ ...(await refresh(token).expect(401)).body, instance: '' });
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    for (const token of [[account.refreshToken], { token: account.refreshToken }, 7, null]) await refresh(token).expect(422);
    await refresh(account.refreshToken).expect(200);
  });

  it('ends after 30 days of silence', async () => {
    const account = await shop.signUp();
    offset = 29 * days;
    const { body } = await refresh(account.refreshToken).expect(200);
    offset = 58 * days;
    const next = await refresh(body.refreshToken).expect(200);
    offset = 58 * days + 31 * days;
    await refresh(next.body.refreshToken).expect(401);
  });

  it('ends 90 days after signing in, however often it happened', async () => {
    const account = await shop.signUp();
    let newest = account.refreshToken;
    for (offset = 25 * days; offset < 90 * days; offset += 25 * days)
      newest = (await refresh(newest).expect(200)).body.refreshToken;
    offset = 90 * days + seconds;
    await refresh(newest).expect(401);
  });

  it('spends every token for good: of all that were ever handed out one is alive', async () => {
    const account = await shop.signUp();
    const spent = [account.refreshToken];
    for (let round = 0; round < 5; round++) spent.push((await refresh(spent.at(-1)).expect(200)).body.refreshToken);
    const alive = spent.pop();
    const next = await refresh(alive).expect(200);
    for (const token of spent) await refresh(token).expect(401);
    await refresh(next.body.refreshToken).expect(401);
  });

  it('goes on after a restart of the shop', async () => {
    const account = await shop.signUp();
    const ended = await shop.signUp();
    await ended.api.post('/api/auth/logout').expect(204);
    await shop.restart();
    await me(account.accessToken).expect(200);
    await refresh(account.refreshToken).expect(200);
    await me(ended.accessToken).expect(401);
    await refresh(ended.refreshToken).expect(401);
  });
});

describe('signing out', () => {
  it('ends this session alone', async () => {
    const here = await shop.signUp();
    const there = await shop.signIn(here.username, here.password);
    await here.api.post('/api/auth/logout').expect(204);
    await me(here.accessToken).expect(401);
    await refresh(here.refreshToken).expect(401);
    await me(there.accessToken).expect(200);
    await refresh(there.refreshToken).expect(200);
  });

  it('everywhere ends all sessions', async () => {
    const here = await shop.signUp();
    const there = await shop.signIn(here.username, here.password);
    await here.api.post('/api/auth/logout').send({ all: true }).expect(204);
    for (const { accessToken, refreshToken } of [here, there]) {
      await me(accessToken).expect(401);
      await refresh(refreshToken).expect(401);
    }
    await shop.signIn(here.username, here.password);
  });

  it('takes nothing else', async () => {
    const { api } = await shop.signUp();
    await api.post('/api/auth/logout').send({ all: 'yes' }).expect(422);
    await api.post('/api/auth/logout').send({ every: true }).expect(422);
  });
});

describe('one’s sessions', () => {
  it('are listed, the newest first, page by page', async () => {
    const first = await shop.signUp();
    for (const device of ['phone', 'tablet\u0007 of Ada']) {
      await shop.api
        .post('/api/auth/login')
        .set('User-Agent', device.replace('\u0007', ''))
        .send({ username: first.username, password: first.password })
        .expect(200);
    }
    const { body, headers } = await first.api.get('/api/auth/sessions?limit=2').expect(200);
    expect(headers['cache-control']).toBe('private, no-store');
    expect(body.data.map(({ device, current }: { device: string; current: boolean }) => [device, current])).toEqual([
      ['tablet of Ada', false],
      ['phone', false],
    ]);
    const next = /<([^>]+)>; rel="next"/.exec(headers.link ?? '')?.[1] ?? '';
    const second = await first.api.get(next).expect(200);
    expect(second.body.data).toMatchObject([{ current: true, createdAt: expect.any(String), lastUsedAt: expect.any(String) }]);
    expect(second.body.nextCursor).toBeNull();
  });

  it('are ended one by one', async () => {
    const here = await shop.signUp();
    const there = await shop.signIn(here.username, here.password);
    const { body } = await here.api.get('/api/auth/sessions').expect(200);
    const other = body.data.find(({ current }: { current: boolean }) => !current);
    await here.api.delete(`/api/auth/sessions/${other.id}`).expect(204);
    await me(there.accessToken).expect(401);
    await refresh(there.refreshToken).expect(401);
    await here.api.delete(`/api/auth/sessions/${other.id}`).expect(404);
    expect((await here.api.get('/api/auth/sessions').expect(200)).body.data).toHaveLength(1);
  });

  it('can be ended with one’s own', async () => {
    const { api, accessToken } = await shop.signUp();
    const { body } = await api.get('/api/auth/sessions').expect(200);
    await api.delete(`/api/auth/sessions/${body.data[0].id}`).expect(204);
    await me(accessToken).expect(401);
  });

  it('are nobody else’s: a foreign one answers like an unknown one', async () => {
    const owner = await shop.signUp();
    const stranger = await shop.signUp();
    const { body } = await owner.api.get('/api/auth/sessions').expect(200);
    const foreign = await stranger.api.delete(`/api/auth/sessions/${body.data[0].id}`).expect(404);
    const unknown = await stranger.api.delete('/api/auth/sessions/019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f').expect(404);
    expect({ ...foreign.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
    await stranger.api.delete('/api/auth/sessions/1').expect(400);
    await me(owner.accessToken).expect(200);
  });

  it('are all listed but those that have ended', async () => {
    const here = await shop.signUp();
    await shop.signIn(here.username, here.password);
    await here.api
      .put('/api/auth/password')
      .send({ currentPassword: here.password, newPassword: 'quite another password' })
      .expect(204);
    expect((await here.api.get('/api/auth/sessions').expect(200)).body.data).toMatchObject([{ current: true }]);
  });

  it('refuse a made-up cursor', async () => {
    const { api } = await shop.signUp();
    for (const cursor of ['x', 'WzFd', '%5B%5D']) await api.get(`/api/auth/sessions?cursor=${cursor}`).expect(400);
  });
});

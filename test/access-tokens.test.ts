import { createHash, createHmac, createPublicKey, sign } from 'node:crypto';
import { request } from 'node:http';
import { makeJwtKey } from '../src/modules/auth/index.ts';
import { type Account, type Shop, startShop } from './harness/shop.ts';

const [oldKey, newKey, foreignKey] = [makeJwtKey(), makeJwtKey(), makeJwtKey()];
const nowSeconds = () => Math.floor(Date.now() / 1000);
const encode = (part: unknown) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
type Part = Readonly<Record<string, unknown>>;

let shop: Shop;
let account: Account;
let good: { header: Part; claims: Part };
beforeAll(async () => {
  shop = await startShop({ env: { JWT_PRIVATE_KEYS: newKey + oldKey } });
  account = await shop.signUp();
  const [header = '', claims = ''] = account.accessToken.split('.');
  good = { header: JSON.parse(decode(header)), claims: JSON.parse(decode(claims)) };
});
afterAll(() => shop.stop());

const decode = (part: string) => Buffer.from(part, 'base64url').toString();
const kidOf = (pem: string) => {
  const { e, kty, n } = createPublicKey(pem).export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
};

/** A token signed by hand, so that nothing keeps it from being wrong. */
function token({ header = {}, claims = {}, key = newKey }: { header?: Part; claims?: Part | string; key?: string }): string {
  const payload = typeof claims === 'string' ? claims : JSON.stringify({ ...good.claims, ...claims });
  const text = `${encode({ ...good.header, ...header })}.${encode(payload)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

const statusOf = async (accessToken: string) => (await shop.withToken(accessToken).get('/api/auth/me')).status;

describe('an access token', () => {
  it('says who it is for and how long', () => {
    expect(good.header).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: kidOf(newKey) });
    expect(good.claims).toEqual({
      iss: 'shop',
      aud: 'shop',
      sub: account.id,
      sid: expect.any(String),
      tv: 1,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: Number(good.claims.iat) + 900,
      roles: ['customer'],
    });
  });

  it('can be verified with the published keys', async () => {
    const { body, headers } = await shop.api.get('/.well-known/jwks.json').expect(200);
    expect(headers['cache-control']).toBe('public, max-age=300');
    expect(body.keys.map(({ kid }: { kid: string }) => kid)).toEqual([kidOf(newKey), kidOf(oldKey)]);
    for (const key of body.keys) expect(Object.keys(key).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('is good when made by hand from the same parts', async () => {
    expect(await statusOf(token({}))).toBe(200);
    expect(await statusOf(token({ claims: { iat: nowSeconds() + 4, exp: nowSeconds() + 800 } }))).toBe(200);
  });

  it('signed with the previous key is good, with a retired or foreign one not', async () => {
    expect(await statusOf(token({ key: oldKey, header: { kid: kidOf(oldKey) } }))).toBe(200);
    expect(await statusOf(token({ key: foreignKey, header: { kid: kidOf(foreignKey) } }))).toBe(401);
    expect(await statusOf(token({ key: foreignKey }))).toBe(401);
    expect(await statusOf(token({ key: oldKey }))).toBe(401);
  });

  const yesterday = () => nowSeconds() - 86_400;
  const without = (name: string) => JSON.stringify({ ...good.claims, [name]: undefined });
  it.each<[string, () => Part | string]>([
    ['no expiry', () => without('exp')],
    ['an expiry beyond all time', () => ({ exp: 1e308 })],
    ['an expiry in words', () => ({ exp: String(nowSeconds() + 100) })],
    ['a lifetime beyond a quarter of an hour', () => ({ iat: nowSeconds(), exp: nowSeconds() + 901 })],
    ['its time over', () => ({ iat: yesterday(), exp: yesterday() + 900 })],
    ['its time over since a second', () => ({ iat: nowSeconds() - 100, exp: nowSeconds() - 1 })],
    ['an issue time of tomorrow', () => ({ iat: nowSeconds() + 86_400, exp: nowSeconds() + 86_500 })],
    ['an issue time ten seconds ahead', () => ({ iat: nowSeconds() + 10, exp: nowSeconds() + 100 })],
    ['no issue time', () => without('iat')],
    ['a time before which it is not good', () => ({ nbf: nowSeconds() + 100 })],
    ['another issuer', () => ({ iss: 'shop.example' })],
    ['no issuer', () => without('iss')],
    ['another audience', () => ({ aud: 'other' })],
    ['several audiences', () => ({ aud: ['shop', 'other'] })],
    ['no audience', () => without('aud')],
    ['no user', () => without('sub')],
    ['a number for a user', () => ({ sub: 1 })],
    ['an object for a user', () => ({ sub: { id: good.claims.sub } })],
    ['no session', () => without('sid')],
    ['no counter', () => without('tv')],
    ['a counter in words', () => ({ tv: '1' })],
    ['a counter of nought', () => ({ tv: 0 })],
    ['a role that does not exist', () => ({ roles: ['root'] })],
    ['roles in one word', () => ({ roles: 'admin' })],
    ['no claims but null', () => 'null'],
    ['no JSON', () => 'sub=me'],
    ['five hundred claims', () => Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`claim${index}`, index]))],
  ])('with %s is refused', async (_what, claims) => {
    expect(await statusOf(token({ claims: claims() }))).toBe(401);
  });

  it.each<[string, Part]>([
    ['another type', { typ: 'JWT' }],
    ['no type', { typ: undefined }],
    ['another algorithm in words', { alg: 'RS512' }],
    ['no key id', { kid: undefined }],
    ['a key id that is a path', { kid: '../../dev/null' }],
    ['a key id that is SQL', { kid: "' OR 1" }],
    ['an unknown key id', { kid: 'A'.repeat(43) }],
    ['a critical extension', { crit: ['exp'] }],
    ['an unknown critical extension', { crit: ['x'], x: 1 }],
    ['a key with it', { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }],
    ['an address of keys', { jku: 'https://evil.example/keys' }],
    ['an address of a certificate', { x5u: 'https://evil.example/cert' }],
    ['a base64 switch', { b64: false }],
  ])('whose header has %s is refused', async (_what, header) => {
    expect(await statusOf(token({ header }))).toBe(401);
  });

  it('signed with the public key as a secret, or not at all, is refused', async () => {
    const publicPem = createPublicKey(newKey).export({ type: 'spki', format: 'pem' });
    for (const alg of ['HS256', 'HS512']) {
      const text = `${encode({ ...good.header, alg })}.${encode(good.claims)}`;
      const proof = createHmac(alg.replace('HS', 'sha'), publicPem).update(text).digest('base64url');
      expect(await statusOf(`${text}.${proof}`)).toBe(401);
    }
    for (const alg of ['none', 'None', '']) {
      const text = `${encode({ ...good.header, alg })}.${encode(good.claims)}`;
      expect(await statusOf(`${text}.`)).toBe(401);
      expect(await statusOf(`${text}.${account.accessToken.split('.')[2]}`)).toBe(401);
    }
  });

  it('with any one character changed is refused', async () => {
    const text = account.accessToken;
    const places = [
      0,
      5,
      text.indexOf('.') + 3,
      text.indexOf('.') + 40,
      text.lastIndexOf('.') + 1,
      text.length - 2,
      text.length - 1,
    ];
    for (const place of places) {
      const other = text[place] === 'A' ? 'B' : 'A';
      expect(await statusOf(`${text.slice(0, place)}${other}${text.slice(place + 1)}`)).toBe(401);
    }
    // the last character of a signature holds bits that decode to nothing
    const last = text.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let bit = 1; bit < 16; bit++) {
      const twin = alphabet[alphabet.indexOf(last) ^ bit] ?? '';
      expect(await statusOf(`${text.slice(0, -1)}${twin}`)).toBe(401);
    }
  });

  it('that is cut, longer or wrapped is refused', async () => {
    const text = account.accessToken;
    for (const bad of [
      text.slice(0, -10),
      `${text}.${text}`,
      `${text}.`,
      `.${text}`,
      `${text}=`,
      text.replace('.', '..'),
      text.split('.').slice(0, 2).join('.'),
    ]) {
      expect(await statusOf(bad)).toBe(401);
    }
    expect(await statusOf(token({ claims: { padding: 'x'.repeat(9000) } }))).toBe(401);
  });

  it('is taken from the Authorization header alone', async () => {
    const headers = [
      '',
      'Bearer',
      'Bearer  ',
      `Basic ${account.accessToken}`,
      account.accessToken,
      `Bearer ${account.accessToken} x`,
      `Bearer ${account.accessToken}, Bearer x`,
    ];
    for (const header of headers) {
      const { headers: answer } = await shop.api.get('/api/auth/me').set('Authorization', header).expect(401);
      expect(answer['www-authenticate']).toContain('Bearer');
    }
    await shop.api.get('/api/auth/me').set('Cookie', `access_token=${account.accessToken}`).expect(401);
    await shop.api.get(`/api/auth/me?access_token=${account.accessToken}`).expect(401);
    await shop.api.get('/api/auth/me').set('Authorization', `bearer ${account.accessToken}`).expect(200);
    expect(
      await statusWith(['Authorization', `Bearer ${account.accessToken}`, 'Authorization', `Bearer ${account.accessToken}`]),
    ).toBe(401);
  });

  it('is no refresh token, nor the reverse', async () => {
    expect(await statusOf(account.refreshToken)).toBe(401);
    await shop.api.post('/api/auth/refresh').send({ refreshToken: account.accessToken }).expect(401);
  });

  it('of a user who never was is worth nothing where the user counts', async () => {
    expect(await statusOf(token({ claims: { sub: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f' } }))).toBe(401);
  });

  it('that is remembered ends in time all the same', async () => {
    let offset = 0;
    const other = await startShop({ env: { JWT_PRIVATE_KEYS: newKey }, overrides: { now: () => Date.now() + offset } });
    try {
      const { api } = await other.signUp();
      await api.get('/api/auth/me').expect(200);
      await api.get('/api/auth/me').expect(200);
      offset = 840_000;
      await api.get('/api/auth/me').expect(200);
      offset = 901_000;
      await api.get('/api/auth/me').expect(401);
    } finally {
      await other.stop();
    }
  });
});

/** Node's client joins or drops headers that are sent twice, unless they are given as a flat list. */
function statusWith(headers: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${shop.url}/api/auth/me`, { headers: ['Host', new URL(shop.url).host, ...headers] }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

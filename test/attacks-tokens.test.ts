import { createHash, createHmac, createPublicKey, randomUUID, sign } from 'node:crypto';
import { makeJwtKey } from '../src/modules/auth/index.ts';
import { attacksOn, unchanged } from './harness/attacks.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { fetchDocument } from './harness/documented-answers.ts';
import { eventually } from './harness/eventually.ts';
import type { Account, Shop } from './harness/shop.ts';

const [oldKey, newKey, retiredKey] = [makeJwtKey(), makeJwtKey(), makeJwtKey()];
type Part = Readonly<Record<string, unknown>>;

let deployment: Deployment;
let account: Account;
let good: { readonly header: Part; readonly claims: Part };
/** every protected call, with an id where one is due */
let calls: readonly { readonly method: string; readonly path: string }[];
beforeAll(async () => {
  deployment = await startDeployment({ env: { JWT_PRIVATE_KEYS: newKey + oldKey } });
  const [first] = deployment.processes;
  if (first === undefined) throw new Error('There is no process.');
  account = await first.signUp();
  const [header = '', claims = ''] = account.accessToken.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  good = { header: JSON.parse(header), claims: JSON.parse(claims) };
  calls = Object.entries((await fetchDocument(first.url)).paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security.length === 1)
      .map(([method]) => ({
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, randomUUID().replace(/^(.{14})./, '$17')),
      })),
  );
  expect(calls.length).toBeGreaterThan(20);
});
afterAll(() => deployment.stop());

const attack = attacksOn(() => deployment);
const now = () => Math.floor(Date.now() / 1000);
const encode = (part: unknown) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const kidOf = (pem: string) => {
  const { e, kty, n } = createPublicKey(pem).export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
};

/** A token signed by hand, so that nothing keeps it from being wrong. */
function token({ header = {}, claims = {}, key = newKey }: { header?: Part; claims?: Part | string; key?: string } = {}): string {
  const payload = typeof claims === 'string' ? claims : JSON.stringify({ ...good.claims, ...claims });
  const text = `${encode({ ...good.header, ...header })}.${encode(payload)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

type Headers = readonly (readonly [string, string])[];
const bearer = (text: string): Headers => [['Authorization', `Bearer ${text}`]];

/** The calls that a request with these headers gets another answer from than 401; it is sent to every protected one. */
async function refusedEverywhere(shop: Shop, sent: readonly Headers[], query = ''): Promise<void> {
  const odd = [];
  for (const headers of sent)
    for (const { method, path } of calls) {
      const answer = await fetch(`${shop.url}${path}${query}`, {
        method,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
      });
      const body = await answer.text();
      const challenge = answer.headers.get('www-authenticate') ?? '';
      if (answer.status !== 401 || !challenge.startsWith('Bearer') || !body.includes('/problems/unauthenticated'))
        odd.push({ method, path, status: answer.status, headers: JSON.stringify(headers).slice(0, 200) });
    }
  expect(odd).toEqual([]);
}
const refused = (shop: Shop, tokens: readonly string[]) => refusedEverywhere(shop, tokens.map(bearer));

describe('at every protected call', () => {
  attack('T-01', (shop) =>
    unchanged(shop, async () => {
      const { accessToken } = await shop.admin();
      const sent: Headers[] = [
        [],
        [['Authorization', 'Bearer']],
        [['Authorization', 'Bearer  ']],
        [['Authorization', `Basic ${Buffer.from('admin:the first admin of all').toString('base64')}`]],
        [['Authorization', accessToken]],
        [['Authorization', `Token ${accessToken}`]],
        [...bearer(accessToken), ...bearer(accessToken)],
        [['Cookie', `access_token=${accessToken}; Authorization=Bearer ${accessToken}`]],
        [['X-Access-Token', accessToken]],
      ];
      await refusedEverywhere(shop, sent);
      await refusedEverywhere(shop, [[]], `?access_token=${accessToken}`);
    }),
  );
  attack('T-03', async (shop) => {
    const publicPem = createPublicKey(newKey).export({ type: 'spki', format: 'pem' }).toString();
    const keyed = (alg: string, hash: string, secret: string) => {
      const text = `${encode({ ...good.header, alg })}.${encode(good.claims)}`;
      return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
    };
    const text = `${encode({ ...good.header, alg: 'RS512' })}.${encode(good.claims)}`;
    await refused(shop, [
      keyed('HS256', 'sha256', publicPem),
      keyed('HS256', 'sha256', publicPem.trim()),
      keyed('HS512', 'sha512', publicPem),
      `${text}.${sign('sha512', Buffer.from(text), newKey).toString('base64url')}`,
      `${encode({ ...good.header, alg: 'none' })}.${encode(good.claims)}.`,
      `${encode({ alg: 'None', typ: 'at+jwt' })}.${encode(good.claims)}.`,
    ]);
  });
  attack('T-04', async (shop) => {
    const whole = token();
    const [header = '', claims = '', signature = ''] = whole.split('.');
    const flipped = (part: string) =>
      Buffer.from(part, 'base64url')
        .map((byte, index) => (index === 5 ? byte ^ 1 : byte))
        .toString();
    const bit = (part: string) => {
      const bytes = Buffer.from(part, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
      return bytes.toString('base64url');
    };
    expect(flipped(header)).not.toBe(Buffer.from(header, 'base64url').toString());
    await refused(shop, [
      `${bit(header)}.${claims}.${signature}`,
      `${header}.${bit(claims)}.${signature}`,
      `${header}.${claims}.${bit(signature)}`,
      whole.slice(0, -1),
      whole.slice(0, whole.length / 2),
      `${header}.${claims}`,
      `${whole}.${signature}`,
      `${header}. ${claims}.${signature}`,
      `${header}.\t${claims}.${signature}`,
      `${whole}=`,
      `"${whole}"`,
    ]);
  });
  attack('T-05', async (shop) => {
    const { e, kty, n } = createPublicKey(retiredKey).export({ format: 'jwk' });
    const beganAt = shop.log.length;
    await refused(shop, [
      token({ header: { kid: '../../dev/null' } }),
      token({ header: { kid: "' OR 1" } }),
      token({ header: { kid: '__proto__' } }),
      token({ header: { kid: kidOf(retiredKey) }, key: retiredKey }),
      token({ header: { kid: undefined } }),
      token({ header: { jwk: { e, kty, n } }, key: retiredKey }),
      token({ header: { jku: `${shop.url}/.well-known/jwks.json` } }),
      token({ header: { x5u: 'http://127.0.0.1:9/key.pem' } }),
      token({ header: { x5c: ['MIIB'] } }),
      token({ header: { crit: ['exp'] } }),
    ]);
    expect(shop.log.slice(beganAt).some((line) => line.includes('/.well-known/jwks.json'))).toBe(false);
  });
  attack('T-07', (shop) =>
    refused(shop, [
      token({ claims: { iat: now() - 1000, exp: now() - 101 } }),
      token({ claims: { iat: now() - 100, exp: now() - 1 } }),
      token({ claims: { nbf: now() + 100 } }),
    ]),
  );
  attack('T-08', (shop) =>
    refused(shop, [
      token({ claims: { exp: undefined } }),
      token({ claims: JSON.stringify({ ...good.claims, exp: 0 }).replace('"exp":0', '"exp":1e308') }),
      token({ claims: { iat: now(), exp: now() + 901 } }),
      token({ claims: { exp: String(now() + 100) } }),
      token({ claims: { exp: null } }),
    ]),
  );
  attack('T-09', (shop) =>
    refused(shop, [token({ claims: { iat: now() + 86_400, exp: now() + 86_500 } }), token({ claims: { iat: undefined } })]),
  );
  attack('T-11', async (shop) => {
    await refused(shop, [
      account.refreshToken,
      token({ header: { typ: 'JWT' } }),
      token({ header: { typ: 'rt+jwt' } }),
      token({ header: { typ: undefined } }),
    ]);
    const { body } = await shop.api.post('/api/auth/refresh').send({ refreshToken: token() }).expect(401);
    expect(body.type).toBe('/problems/invalid-refresh-token');
  });
  attack('T-16', async (shop) => {
    const claims = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`claim${index}`, index]));
    const long = [token({ claims: { filler: 'x'.repeat(6500) } }), token({ claims: claims(500) })];
    for (const text of long) expect(text.length).toBeGreaterThan(8192);
    await refused(shop, long);
    const { status } = await fetch(`${shop.url}/api/auth/me`, {
      headers: { Authorization: `Bearer ${token({ claims: claims(1000) })}` },
    });
    expect(status).toBe(431);
  });
});

describe('whom it speaks for', () => {
  attack('T-12', async (shop) => {
    const victim = await shop.signUp();
    const twice = JSON.stringify({ ...good.claims, sub: 'SUB' }).replace(
      '"sub":"SUB"',
      `"sub":"${victim.id}","sub":"${good.claims.sub}"`,
    );
    // Nobody but us can sign one: what counts is that all readers of it agree about who it is.
    const { body } = await shop
      .withToken(token({ claims: twice }))
      .get('/api/auth/me')
      .expect(200);
    expect(body.id).toBe(account.id);
  });
  attack('T-13', async (shop) => {
    const gone = await shop.signUp();
    await gone.api.post('/api/auth/delete').send({ password: gone.password }).expect(204);
    const disabled = await shop.signUp();
    await disabled.api.put('/api/auth/delete').send({ password: disabled.password }).expect(204);
    await refused(shop, [
      gone.accessToken,
      disabled.accessToken,
      token({ claims: { sub: { id: 1 } } }),
      token({ claims: { sub: 7 } }),
    ]);
    await shop
      .withToken(token({ claims: { sub: randomUUID() } }))
      .get('/api/auth/me')
      .expect(401);
    await eventually(() => deployment.other(shop).withToken(gone.accessToken).get('/api/orders').expect(401));
  });
  attack('T-15', async (shop) => {
    const user = await shop.signUp();
    const second = await shop.signIn(user.username, user.password);
    const change = { currentPassword: user.password, newPassword: 'another fine long one' };
    await user.api.put('/api/auth/password').send(change).expect(204);
    await refused(shop, [second.accessToken]);
    await eventually(() => deployment.other(shop).withToken(second.accessToken).get('/api/auth/me').expect(401));
    const third = await shop.signIn(user.username, change.newPassword);
    await third.api.post('/api/auth/logout').send({ all: true }).expect(204);
    await refused(shop, [third.accessToken, user.accessToken]);
  });
  attack('T-17', async (shop) => {
    const signedBy = (key: string) => shop.withToken(token({ key, header: { kid: kidOf(key) } })).get('/api/auth/me');
    await signedBy(oldKey).expect(200);
    await signedBy(retiredKey).expect(401);
    await refused(shop, [token({ key: retiredKey }), token({ key: oldKey })]);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError, readConfig } from '../src/shared/config.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const pem = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const strong = 'q8Zt3vXw1Lk7Rb5Yc2Nd9Fh4Gj6Mp0Qs';

describe('the configuration', () => {
  it('needs nothing on a laptop', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      production: false,
      http: { port: 3000, host: '127.0.0.1', drainDelayMs: 0 },
      stores: { dataDir: './data' },
      auth: { bcryptCost: 12, passwordMinLength: 12 },
      rateLimits: { enabled: true, browsing: { limit: 6000, windowSeconds: 60 }, login: { limit: 60, windowSeconds: 600 } },
      roles: { web: true, worker: true },
      audit: { intervalMs: 3_600_000 },
    });
    expect(Object.isFrozen(config.http)).toBe(true);
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['PORT', '3e3'],
    ['MYSQL_URL', 'postgres://db'],
    ['REDIS_URL', 'http://cache'],
    ['SQS_QUEUE_URL', 'events'],
    ['SQS_QUEUE_URL', 'https://sqs.eu-west-1.amazonaws.com/1/events'],
    ['SQS_ENDPOINT', 'http://127.0.0.1:4100'],
    ['JWT_PRIVATE_KEYS', 'no key'],
    ['JWT_PRIVATE_KEYS', 'file:/does/not/exist'],
    ['PASSWORD_MIN_LENGTH', '7'],
    ['RATE_LIMIT_LOGIN', '60'],
    ['RATE_LIMIT_LOGIN', '0/60'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://shop.example/'],
    ['RATE_LIMIT_ENABLED', 'yes'],
    ['ROLES', 'web,cook'],
    ['ROLES', 'worker'],
    ['ROLES', 'web,'],
    ['ROLES', 'web,web'],
    ['ROLES', ' web'],
    ['DRAIN_DELAY_MS', '7001'],
    ['DRAIN_TIMEOUT_MS', '22001'],
    ['MODULES', 'auth,payments'],
    ['ADMIN_USERNAME', 'admin'],
    ['AUDIT_INTERVAL_SECONDS', '-1'],
    ['LOG_LEVEL', 'loud'],
    ['CRASH_AT', 'somewhere'],
    ['CRASH_AT', 'before-reply:0'],
  ])('refuses %s=%s by name', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
  });

  it('lets a drain take what pm2 waits for, less the time to close the stores, and not a millisecond more', () => {
    expect(problemsOf({ DRAIN_DELAY_MS: '7000', DRAIN_TIMEOUT_MS: '15000' })).toEqual([]);
    expect(problemsOf({ DRAIN_DELAY_MS: '12000', DRAIN_TIMEOUT_MS: '10001' })).toEqual([
      expect.stringMatching(/^DRAIN_DELAY_MS and DRAIN_TIMEOUT_MS /),
    ]);
    const closeTimeoutMs = Number(/^const closeTimeoutMs = (\d+);$/m.exec(readFileSync('src/server.ts', 'utf8'))?.[1]);
    const [, killMs = ''] = /^ {2}kill_timeout: ([\d_]+),$/m.exec(readFileSync('ecosystem.config.js', 'utf8')) ?? [];
    expect(22_000 + closeTimeoutMs).toBe(Number(killMs.replace('_', '')));
  });

  it('wants to know where the modules are that run elsewhere, and nothing of their stores', () => {
    const missing = (MODULES: string, more = {}) =>
      problemsOf({ NODE_ENV: 'production', REDIS_URL: 'redis://cache', MODULES, ...more }).map(
        (problem) => problem.split(' ')[0],
      );
    expect(missing('catalog')).toEqual(['AUTH_URL', 'JWKS_URL', 'MYSQL_URL']);
    expect(missing('orders')).toEqual(['AUTH_URL', 'JWKS_URL', 'CATALOG_URL', 'MYSQL_URL', 'SQS_QUEUE_URL']);
    expect(missing('auth')).toEqual(['AWS_REGION', 'JWT_PRIVATE_KEYS', 'REFRESH_KEYS', 'PASSWORD_PEPPER']);
    const elsewhere = { AUTH_URL: 'http://auth:4000', JWKS_URL: 'http://auth:3000/keys', MYSQL_URL: 'mysql://db/shop' };
    expect(missing('catalog', elsewhere)).toEqual(['SERVICE_TOKENS']);
    expect(problemsOf({ INTERNAL_PORT: '4000' })).toEqual([expect.stringContaining('SERVICE_TOKENS')]);
    expect(missing('catalog', { ...elsewhere, SERVICE_TOKENS: 'too short' })).toEqual(['SERVICE_TOKENS']);
    expect(missing('catalog', { ...elsewhere, SERVICE_TOKENS: 'Zk3vQ9sX1mB7nR5tY2wL8pD4fG6hJ0cA' })).toEqual([]);
  });

  it('takes from .env.example the value of a setting, not what is said about it', () => {
    const inUse = readFileSync('.env.example', 'utf8').replace(/^# (?=[A-Z_]+=)/gm, '');
    const settings = Object.entries(parseEnv(inUse));
    expect(settings.length).toBeGreaterThan(40);
    expect(settings.filter(([, value]) => /\s/.test(value ?? ''))).toEqual([]);
    expect(settings).toContainEqual(['NODE_ENV', 'production']);
  });

  it('does not repeat a secret in what it says', () => {
    const said = problemsOf({ NODE_ENV: 'production', PASSWORD_PEPPER: 'hunter2hunter2', REFRESH_KEYS: 'canary' }).join();
    expect(said).not.toMatch(/hunter2|canary/);
  });

  it('reads where the process shall end, and how the many-th time', () => {
    expect(readConfig({ CRASH_AT: 'before-reply' }).crashAt).toEqual({ point: 'before-reply', occurrence: 1 });
    expect(readConfig({ CRASH_AT: 'after-claim:3' }).crashAt).toEqual({ point: 'after-claim', occurrence: 3 });
    expect(readConfig({}).crashAt).toBeUndefined();
  });

  it('reads keys from a file, newest first', () => {
    const folder = mkdtempSync(join(tmpdir(), 'shop-'));
    const file = join(folder, 'keys.pem');
    writeFileSync(file, `${pem(2048)}\n${pem(2048)}`);
    expect(readConfig({ JWT_PRIVATE_KEYS: `file:${file}`, REFRESH_KEYS: 'new, old' }).auth).toMatchObject({
      jwtPrivateKeys: { length: 2 },
      refreshKeys: ['new', 'old'],
    });
    rmSync(folder, { recursive: true });
  });

  it('takes no signing keys beside which stands a key of another form, which would be lost in silence', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const good = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const others = [
      privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      good.replace('-----END PRIVATE KEY-----', ''),
    ];
    for (const other of others)
      for (const text of [`${good}${other}`, `${other}${good}`, `${good}${other}`.replaceAll('\n', '\\n')])
        expect(problemsOf({ JWT_PRIVATE_KEYS: text })).toEqual([
          expect.stringMatching(/^JWT_PRIVATE_KEYS holds a PEM block that is no whole PKCS#8 private key/),
        ]);
    expect(problemsOf({ JWT_PRIVATE_KEYS: `${good}${good}` })).toEqual([]);
  });

  it('reads the first admin’s password from a file, without the end of its line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'shop-'));
    const file = join(folder, 'admin-password');
    writeFileSync(file, ' the first admin of all\n');
    const { admin } = readConfig({ ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: `file:${file}` }).auth;
    expect(admin).toEqual({ username: 'admin', password: ' the first admin of all' });
    rmSync(folder, { recursive: true });
  });

  describe('in production', () => {
    const sound = {
      NODE_ENV: 'production',
      MYSQL_URL: 'mysql://shop@db/shop',
      REDIS_URL: 'rediss://cache:6379',
      AWS_REGION: 'eu-west-1',
      SQS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/events',
      JWT_PRIVATE_KEYS: pem(2048),
      REFRESH_KEYS: strong,
      PASSWORD_PEPPER: strong,
    };

    it('listens to everybody and drains slowly', () => {
      expect(readConfig(sound).http).toMatchObject({ host: '0.0.0.0', drainDelayMs: 5000 });
    });

    it('names all that is missing at once', () => {
      const problems = problemsOf({ NODE_ENV: 'production' }).join('\n');
      for (const name of [
        'MYSQL_URL',
        'REDIS_URL',
        'AWS_REGION',
        'SQS_QUEUE_URL',
        'JWT_PRIVATE_KEYS',
        'REFRESH_KEYS',
        'PASSWORD_PEPPER',
      ])
        expect(problems).toContain(name);
    });

    it('names a weak secret beside a setting that can not be read', () => {
      const wrong = {
        PORT: 'x',
        REFRESH_KEYS: 'short',
        SERVICE_TOKENS: 'short',
        ADMIN_USERNAME: 'admin',
        ADMIN_PASSWORD: 'short',
      };
      const names = problemsOf({ ...sound, ...wrong }).map((problem) => problem.split(' ')[0]);
      expect(names.sort()).toEqual(['ADMIN_PASSWORD', 'PORT', 'REFRESH_KEYS', 'SERVICE_TOKENS']);
    });

    it('takes no first admin with a password that is short, a sample, or published with the shop', () => {
      const ofAdmin = (ADMIN_PASSWORD: string, more = {}) =>
        problemsOf({ ...sound, ADMIN_USERNAME: 'admin', ADMIN_PASSWORD, ...more });
      const published = globSync(['README.md', 'docs/**/*.md', '.env.example', 'compose*.yaml', 'test/**/*.ts'])
        .filter((file) => file !== 'test/config.test.ts')
        .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\bADMIN_PASSWORD(?:=|: )['"]([^'"]+)['"]/g)])
        .map(([, password = '']) => password);
      expect(published).toContain('the first admin of all');
      for (const password of ['elevenchars', 'Change-me-before-you-open', 'The first admin of ALL ', ...published])
        expect(ofAdmin(password)).toEqual([expect.stringMatching(/^ADMIN_PASSWORD /)]);
      expect(ofAdmin('kettle-otter')).toEqual([]);
      expect(ofAdmin('kettle-otter', { PASSWORD_MIN_LENGTH: '13' })).toEqual([expect.stringMatching(/^ADMIN_PASSWORD .* 13 /)]);
      expect(ofAdmin('kettle-otter', { PASSWORD_MIN_LENGTH: 'x' })).toEqual([expect.stringMatching(/^PASSWORD_MIN_LENGTH /)]);
    });

    it.each([
      ['BCRYPT_COST', '11'],
      ['REFRESH_KEYS', `${strong},short`],
      ['REFRESH_KEYS', 'change-me-change-me-change-me-change-me'],
      ['PASSWORD_PEPPER', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
      ['JWT_PRIVATE_KEYS', pem(1024)],
      ['CRASH_AT', 'before-reply'],
    ])('refuses a weak or harmful %s', (name, value) => {
      expect(problemsOf({ ...sound, [name]: value }).join()).toContain(name);
    });

    it('runs on embedded storage only when told so, and looks at the secrets all the same', () => {
      const { MYSQL_URL: _, AWS_REGION: __, SQS_QUEUE_URL: ___, REDIS_URL: ____, ...embedded } = sound;
      expect(problemsOf(embedded)).toHaveLength(4);
      expect(problemsOf({ ...embedded, ALLOW_EMBEDDED: 'true' })).toEqual([]);
      expect(problemsOf({ ...embedded, ALLOW_EMBEDDED: 'true', PASSWORD_PEPPER: 'short' })).toHaveLength(1);
    });
  });
});

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import supertest from 'supertest';
import { temporaryFolder } from './child-process.ts';
import { eventually } from './harness/eventually.ts';
import { refusedStart, type ServerProcess, startServer } from './harness/server-process.ts';

/** The process as a whole: how it starts, what it keeps, how it ends. */

const run = promisify(execFile);
const root = join(__dirname, '..');
const folders: { remove(): void }[] = [];
const servers: ServerProcess[] = [];

afterAll(async () => {
  await Promise.all(servers.map((server) => server.kill('SIGKILL')));
  for (const folder of folders) folder.remove();
});

function newDataDir(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return join(folder.path, 'data');
}

async function start(dataDir: string, { logFile, ...env }: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const settings = { DATA_DIR: dataDir, RATE_LIMIT_ENABLED: 'false', ...env };
  const server = await startServer(settings, logFile === undefined ? {} : { logFile });
  servers.push(server);
  return server;
}

const { PATH = '' } = process.env;
const audit = (dataDir: string) =>
  run(process.execPath, [join(root, 'src/commands/audit.ts')], { env: { PATH, DATA_DIR: dataDir } });

async function signedIn(url: string, dataDir: string) {
  const password = readFileSync(join(dataDir, 'admin-password'), 'utf8').trim();
  const { body } = await supertest(url).post('/api/auth/login').send({ username: 'admin', password }).expect(200);
  const agent = supertest.agent(url);
  agent.set('Authorization', `Bearer ${body.accessToken}`);
  return agent;
}

describe('a first start', () => {
  it('opens a shop with nothing but a folder, and tells where it is and where the password of the admin lies', async () => {
    const dataDir = newDataDir();
    const server = await start(dataDir);
    expect(server.greeting()).toContain(`${server.url}/docs`);
    expect(server.greeting()).toContain(join(dataDir, 'admin-password'));
    expect(server.greeting()).not.toContain(readFileSync(join(dataDir, 'admin-password'), 'utf8').trim());
    const api = await signedIn(server.url, dataDir);
    expect((await api.get('/api/auth/me').expect(200)).body.roles).toContain('admin');
  });

  it('keeps the folder to itself', async () => {
    const dataDir = newDataDir();
    await start(dataDir);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    const secrets = readdirSync(dataDir).filter((name) => /key|pepper|password/.test(name));
    expect(secrets.length).toBeGreaterThanOrEqual(4);
    for (const name of secrets) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  });

  it('refuses a second server on the same data in one line, and lets the audit read beside the first', async () => {
    const dataDir = newDataDir();
    await start(dataDir);
    const second = await refusedStart({ DATA_DIR: dataDir });
    expect(second.code).toBe(1);
    expect(second.said.trim().split('\n')).toHaveLength(1);
    expect(second.said).toContain('another server');
    expect((await audit(dataDir)).stdout).toContain('I-01  clean');
  });
});

describe('a server that is killed', () => {
  it('has everything that it had answered, over several kills in mid-load', async () => {
    const dataDir = newDataDir();
    let server = await start(dataDir);
    let api = await signedIn(server.url, dataDir);
    const price = { amount: 700, currency: 'GBP' };
    const { body: product } = await api
      .post('/api/products')
      .send({ sku: 'LAMP', name: 'Lamp', price, initialStock: 100_000 })
      .expect(201);
    const acknowledged: { id: string; key: string }[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const load = Array.from({ length: 8 }, () => orderUntilItDies(api, product.id, acknowledged));
      await eventually(async () => expect(acknowledged.length).toBeGreaterThan(40 * (kill + 1)));
      await server.kill('SIGKILL');
      await Promise.all(load);
      server = await start(dataDir);
      api = await signedIn(server.url, dataDir);
    }
    for (const { id, key } of acknowledged) {
      const again = await api
        .post('/api/orders')
        .set('Idempotency-Key', key)
        .send({ items: [{ productId: product.id, quantity: 1 }] })
        .expect(201);
      expect(again.body.id).toBe(id);
    }
    await eventually(async () => {
      const { body } = await api.get('/api/orders?status=placed').expect(200);
      expect(body.data).toEqual([]);
    });
    const { body: summary } = await api.get('/api/orders/summary').expect(200);
    const { body: stock } = await api.get(`/api/products/${product.id}/stock`).expect(200);
    expect(summary.data[0].placed.count).toBeGreaterThanOrEqual(acknowledged.length);
    expect(stock.onHand).toBe(100_000 - summary.data[0].placed.pieces);
    expect((await audit(dataDir)).stdout).toContain('I-12  clean');
  }, 90_000);
});

async function orderUntilItDies(
  api: ReturnType<typeof supertest.agent>,
  productId: string,
  acknowledged: { id: string; key: string }[],
) {
  for (;;) {
    const key = randomUUID();
    try {
      const { status, body } = await api
        .post('/api/orders')
        .set('Idempotency-Key', key)
        .send({ items: [{ productId, quantity: 1 }] });
      if (status === 201) acknowledged.push({ id: body.id, key });
    } catch {
      return;
    }
  }
}

describe('a server that is told to stop', () => {
  it('says so to the balancer, serves on for a while, and ends well, however often it is told', async () => {
    const server = await start(newDataDir(), { DRAIN_DELAY_MS: '700' });
    server.send('SIGTERM');
    await eventually(async () => expect((await supertest(server.url).get('/readyz')).status).toBe(503));
    server.send('SIGTERM');
    server.send('SIGINT');
    const { status, headers } = await supertest(server.url).get('/api/products');
    expect({ status, connection: headers.connection }).toEqual({ status: 200, connection: 'close' });
    expect(await server.kill('SIGINT')).toBe(0);
  });

  it('ends well when nobody reads its log any more', async () => {
    const server = await start(newDataDir());
    server.stopReading();
    for (let request = 0; request < 3; request++) await supertest(server.url).get('/api/products').expect(200);
    expect(await server.kill('SIGTERM')).toBe(0);
  });

  // a device of Linux on which every write finds the disk full
  const hasFullDevice = existsSync('/dev/full');
  const leftOut = hasFullDevice ? '' : ', left out: there is no /dev/full';
  (hasFullDevice ? it : it.skip)(`ends well when there is no room for its log${leftOut}`, async () => {
    const server = await start(newDataDir(), { logFile: '/dev/full' });
    for (let request = 0; request < 3; request++) await supertest(server.url).get('/api/products').expect(200);
    const ended = server.kill('SIGTERM');
    expect(await Promise.race([ended, pause(15_000, 'it is still there')])).toBe(0);
  });
});

describe('a start that is not configured well', () => {
  it('names every problem at once and leaves nothing behind', async () => {
    const dataDir = newDataDir();
    const { code, said } = await refusedStart({
      DATA_DIR: dataDir,
      NODE_ENV: 'production',
      PORT: 'http',
      REFRESH_KEYS: 'change-me',
      BCRYPT_COST: '4',
      CORS_ORIGINS: 'shop.example/path',
    });
    expect(code).toBe(1);
    for (const name of [
      'PORT',
      'CORS_ORIGINS',
      'MYSQL_URL',
      'AWS_REGION',
      'JWT_PRIVATE_KEYS',
      'REFRESH_KEYS',
      'PASSWORD_PEPPER',
      'BCRYPT_COST',
    ]) {
      expect(said).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    expect(() => statSync(dataDir)).toThrow('ENOENT');
  });

  it('tells of a port that is taken in one line', async () => {
    const { url } = await start(newDataDir());
    const { code, said } = await refusedStart({ DATA_DIR: newDataDir(), PORT: new URL(url).port });
    expect(code).toBe(1);
    expect(said.trim().split('\n')).toHaveLength(1);
    expect(said).toContain('EADDRINUSE');
  });
});

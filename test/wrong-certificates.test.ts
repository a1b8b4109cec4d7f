import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { pino } from 'pino';
import { openMysql } from '../src/shared/database.ts';
import { openDynamo } from '../src/shared/dynamo.ts';
import { guarded } from '../src/shared/dynamo-error.ts';
import { openRedis } from '../src/shared/redis.ts';
import { isStoreDown } from '../src/shared/store-errors.ts';

let folder: string;
let server: Server;
let port = 0;
let received = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const options = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=127.0.0.1',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  expect(spawnSync('openssl', [...options, '-keyout', key, '-out', cert]).status).toBe(0);
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    socket.on('data', (data) => {
      received += String(data);
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  received = '';
});

const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('S-10 a store with a certificate that nobody vouches for', () => {
  it('gets no request from the users’ store: it counts as down', async () => {
    const dynamo = await openDynamo({ endpoint: `https://127.0.0.1:${port}`, region: 'local', tablePrefix: '' });
    const reason = await reasonOf(guarded(() => dynamo.client.listTables({})));
    expect(reason).toMatchObject({ code: 'unavailable' });
    await dynamo.close();
    expect(received).toBe('');
  });

  it('gets no command of Redis', async () => {
    const redis = await openRedis({ url: `rediss://user:canary@127.0.0.1:${port}`, log: pino({ level: 'silent' }) });
    expect(await reasonOf(redis.ping())).toBeDefined();
    await redis.close();
    expect(received).toBe('');
  });

  it('gets no password of MySQL', async () => {
    const db = await openMysql({ url: `mysql://user:canary@127.0.0.1:${port}/shop?ssl={"rejectUnauthorized":true}` });
    expect(isStoreDown(await reasonOf(db.rows('SELECT 1')))).toBe(true);
    await db.close();
    expect(received).not.toContain('canary');
  });
});

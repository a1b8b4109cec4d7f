import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { openDynamo } from '../src/shared/dynamo.ts';
import { openCollection } from '../src/shared/dynamo-collection.ts';
import { type AuthProcess, type AuthProcesses, openAuthProcesses } from './harness/auth-processes.ts';

const password = 'a fine long password';

describe('while the store of the accounts is down', () => {
  let store: AuthProcesses;
  let process: AuthProcess;
  beforeAll(async () => {
    store = await openAuthProcesses();
    process = await store.start();
    await process.auth.start();
  });
  afterAll(() => store.close());

  const outages = {
    unreachable: () => 'store down' as const,
    throttling: () => {
      throw Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException', $metadata: {} });
    },
    faulty: () => {
      throw Object.assign(new Error('oops'), { name: 'InternalServerError', $metadata: {} });
    },
  };

  it.each(Object.entries(outages))('(%s) whatever needs it answers 503, and tokens go on', async (_name, outage) => {
    const username = `user-of-${_name}`;
    const { body: alive } = await process.call('register', { body: { username, password } });
    const { body: ended } = await process.call('login', { body: { username, password } });
    await process.call('logout', { token: ended.accessToken });
    const { body: unseen } = await process.call('login', { body: { username, password } });
    process.plan(outage);
    try {
      const calls: [string, object][] = [
        ['login', { body: { username, password } }],
        ['login', { body: { username: 'nobody', password } }],
        ['register', { body: { username: 'newcomer', password } }],
        ['refresh', { body: { refreshToken: alive.refreshToken } }],
        ['getAccount', { token: alive.accessToken }],
        ['logout', { token: alive.accessToken }],
        ['logout', { token: alive.accessToken, body: { all: true } }],
        ['eraseAccount', { token: alive.accessToken, body: { password } }],
      ];
      for (const [operation, options] of calls) {
        const answer = await process.call(operation, options);
        expect([operation, answer.status, answer.body.code]).toEqual([operation, 503, 'unavailable']);
        expect(Number(answer.headers['Retry-After'])).toBeGreaterThan(0);
      }
      await process.work('auth-revocations');
      expect(await process.auth.authenticate(alive.accessToken)).toMatchObject({ userId: alive.user.id });
      expect(await process.auth.authenticate(unseen.accessToken)).toMatchObject({ userId: alive.user.id });
      await expect(process.auth.authenticate(ended.accessToken)).rejects.toMatchObject({ code: 'unauthenticated' });
    } finally {
      process.plan();
    }
    expect((await process.call('refresh', { body: { refreshToken: alive.refreshToken } })).status).toBe(200);
    expect((await process.call('getAccount', { token: alive.accessToken })).status).toBe(200);
  });

  it('a new process does not get ready', async () => {
    const late = await store.start();
    late.plan(() => 'store down');
    await expect(late.auth.start()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('an endpoint of DynamoDB', () => {
  const servers: Server[] = [];
  const listening = async (server: Server) => {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // it listens on TCP
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  afterAll(() => {
    for (const server of servers) server.close();
  });

  it.each([
    [
      'that never answers',
      () =>
        listening(
          createTcpServer((socket) =>
            socket
              .on('error', () => {})
              .resume()
              .unref(),
          ),
        ),
    ],
    [
      'that stops in the middle of an answer',
      () => listening(createServer((_request, response) => response.writeHead(200, { 'Content-Length': 99 }).write('{'))),
    ],
    ['that hangs up', () => listening(createTcpServer((socket) => socket.destroy()))],
    ['that talks nonsense', () => listening(createServer((_request, response) => response.end('<html>')))],
    ['that is overloaded', () => listening(createServer((_request, response) => response.writeHead(503).end()))],
    ['where nothing listens', async () => 'http://127.0.0.1:1'],
  ])('%s is unavailable in bounded time', async (_what, start) => {
    const dynamo = await openDynamo({ endpoint: await start(), region: 'local' });
    await expect(dynamo.ping()).rejects.toMatchObject({ code: 'unavailable' });
    const table = openCollection(
      { ...dynamo, createsTables: false },
      { name: 'things', attributes: { id: { type: String, hashKey: true } } },
    );
    await expect((await table).get({ id: 'x' })).rejects.toMatchObject({ code: 'unavailable' });
    await expect((await table).insert({ id: 'x' })).rejects.toMatchObject({ code: 'unavailable' });
    await dynamo.close();
  });
});

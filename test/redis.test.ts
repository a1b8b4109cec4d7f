import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pino } from 'pino';
import { openRedis, type Redis } from '../src/shared/redis.ts';
import { eventually } from './harness/eventually.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';

const log = pino({ level: 'silent' });

/** Hands everything on between a client and Redis, until it is told to drop the next answer and the connection with it. */
async function startCutter(url: string) {
  let cutNext = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(url).port), '127.0.0.1');
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined));
    client.pipe(upstream);
    upstream.on('data', (answer) => {
      if (!cutNext) return void client.write(answer);
      cutNext = false;
      client.destroy();
      upstream.destroy();
    });
    client.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // listening on a TCP port, so it is no pipe's name
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    cut: () => {
      cutNext = true;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describeWithRedis()('a call to Redis', () => {
  let server: RedisServer;
  let cutter: Awaited<ReturnType<typeof startCutter>>;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    cutter = await startCutter(server.url);
    redis = await openRedis({ url: cutter.url, log });
  });
  afterAll(async () => {
    await redis.close();
    cutter.close();
    await server.stop();
  });

  const addOne = () => redis.evaluate("return redis.call('INCR', KEYS[1])", ['count']);

  it('whose answer was lost is not made again', async () => {
    await addOne();
    cutter.cut();
    await expect(addOne()).rejects.toThrow();
    await eventually(() => redis.ping());
    expect(await server.client.get('count')).toBe('2');
  });

  it('is refused without a try after three in vain, and tried again a second later', async () => {
    server.freeze();
    try {
      for (let failures = 0; failures < 3; failures++) await expect(addOne()).rejects.toThrow(/time/);
      await eventually(() => expect(addOne()).rejects.toThrow('not connected'));
    } finally {
      server.thaw();
    }
    await eventually(addOne);
  });
});

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { openRedis, type Redis } from '../src/shared/redis.ts';
import { eventually } from './harness/eventually.ts';
import { type RedisLink, startLink } from './harness/redis-link.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';

const log = pino({ level: 'silent' });

describeWithRedis()('a call to Redis', () => {
  let server: RedisServer;
  let link: RedisLink;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    link = await startLink(server.url);
    redis = await openRedis({ url: link.url, log });
  });
  afterAll(async () => {
    await redis.close();
    link.close();
    await server.stop();
  });

  const addOne = () => redis.evaluate("return redis.call('INCR', KEYS[1])", ['count']);

  it('whose answer was lost is not made again', async () => {
    await addOne();
    link.loseNextAnswer();
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

describeWithRedis()('a Redis that refuses a right', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  const connectionsSoFar = async () => Number(/^total_connections_received:(\d+)/m.exec(await server.client.info('stats'))?.[1]);

  it.each([
    ['info', 'INFO'],
    ['subscribe', 'SUBSCRIBE'],
  ])('(%s) is told of once, and stays connected', async (command, name) => {
    await server.client.call('ACL', 'SETUSER', 'shop', 'reset', 'on', '>canary', '~*', '&*', '+@all', `-${command}`);
    const lines: string[] = [];
    const before = await connectionsSoFar();
    const url = new URL(server.url);
    [url.username, url.password] = ['shop', 'canary'];
    const redis = await openRedis({ url: url.href, log: pino({}, { write: (line: string) => lines.push(line) }) });
    let begun = 0;
    redis.listen('news', { heard: () => undefined, begun: () => (begun += 1) });
    await pause(1000);
    await redis.ping();
    expect((await connectionsSoFar()) - before).toBe(2);
    expect(lines.filter((line) => line.includes(`redis refuses ${name}`))).toHaveLength(1);
    expect(lines).toHaveLength(1);
    expect({ begun, hasLife: redis.life() !== undefined }).toEqual({
      begun: command === 'info' ? 1 : 0,
      hasLife: command !== 'info',
    });
    await redis.close();
  });
});

describe('a Redis that is busy for a moment', () => {
  it('is connected to anew', async () => {
    let asked = 0;
    const reply = (command: string) => {
      if (command !== 'info') return '+OK\r\n';
      asked += 1;
      // the first is the ready check of the client
      return asked === 2 ? '-BUSY Redis is busy running a script.\r\n' : '$10\r\nrun_id:abc\r\n';
    };
    const server = createServer((socket) =>
      socket.on('data', (data) => {
        for (const [, command = ''] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) socket.write(reply(command));
      }),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // it is no pipe
    const redis = await openRedis({ url: `redis://127.0.0.1:${port}`, log });
    await eventually(async () => expect(redis.life()).toBe('abc'));
    await redis.close();
    server.close();
  });
});

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

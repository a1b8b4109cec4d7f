import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Inject } from './fault-run.ts';
import { openShopClient } from './shop-client.ts';

/** What goes wrong with Redis. */

export const killRedis: Inject = async ({ cluster, ms }) => {
  await cluster.stores.redis.kill('SIGKILL');
  await pause(ms(6000));
};

export const restartRedisEmpty: Inject = async ({ cluster, ms }) => {
  for (let round = 0; round < 3; round++) {
    await cluster.stores.redis.kill('SIGKILL');
    await cluster.stores.redis.start();
    await pause(ms(1500));
  }
};

async function talking(port: number, work: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** No room for anything new, and nothing may be thrown away. */
export const redisFull: Inject = ({ cluster, ms }) =>
  talking(cluster.stores.redis.port, async (redis) => {
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.config('SET', 'maxmemory', '1');
    await pause(ms(5000));
    await redis.config('SET', 'maxmemory', '0');
  });

/** Every copy is replaced by something else while it is in use. */
export const poisonedCopies: Inject = ({ cluster, random, ms }) =>
  talking(cluster.stores.redis.port, async (redis) => {
    const until = Date.now() + ms(5000);
    const poisons = ['{', '[]', 'null', '9999999|{"price":{"amount":1,"currency":"GBP"}}', '\u0000\u0001'];
    while (Date.now() < until) {
      for (const key of await redis.keys('*')) {
        if (random.below(2) === 0) await redis.set(key, random.pick(poisons), 'PX', 1000);
        else await redis.lpush(key, 'x').catch(() => undefined);
      }
      await pause(100);
    }
    await redis.flushall();
  });

const readers = 500;

/** Many want the same product at the moment at which its copy ends. */
export const stampede: Inject = async (scene) => {
  const { cluster, load } = scene;
  const clients = cluster.shops.map(({ url }) => openShopClient(url));
  await talking(cluster.stores.redis.port, async (redis) => void (await redis.flushall()));
  const answers = await Promise.all(
    Array.from({ length: readers }, (_, index) =>
      clients[index % clients.length]?.ask({ method: 'GET', path: `/api/products/${load.products[0]?.id}` }),
    ),
  );
  for (const client of clients) client.close();
  const bad = answers.filter((answer) => answer?.status !== 200).length;
  if (bad > 0) scene.complain(`${bad} of ${readers} readers got no product`);
};

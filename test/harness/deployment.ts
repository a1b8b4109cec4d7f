import { hasRedis, type RedisServer, startRedis } from './redis-server.ts';
import { type Shop, type ShopOptions, startShop } from './shop.ts';
import { makeShopStores, onServices } from './stores.ts';

/** Embedded storage belongs to one process; on servers two processes are one shop. */
export const processNames: readonly string[] = onServices ? ['A', 'B'] : ['A'];

export interface Deployment {
  /** in the order of `processNames`; each knows the users, products and orders of all */
  readonly processes: readonly Shop[];
  /** the one that all share; absent on embedded storage and where it is not installed */
  readonly redis: RedisServer | undefined;
  /** where they keep their data */
  readonly variables: Readonly<Record<string, string>>;
  /** the next process after this one, or the same where there is only one */
  other(shop: Shop): Shop;
  stop(): Promise<void>;
}

const sharedSecrets = {
  REFRESH_KEYS: 'Vb3kq8ZrT1mWx6YpL0sDf9GhJ2nC5aQe',
  PASSWORD_PEPPER: 'u7Rt2KpXw9LmZ4cVb8NqA1sDf6GhJ3yE',
};

/** One shop as it is deployed: several processes over the same stores, and one Redis. `envOf` tells what is particular to one. */
export async function startDeployment(
  { env = {}, overrides = {} }: ShopOptions = {},
  envOf: (index: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<Deployment> {
  const stores = await makeShopStores();
  const redis = onServices && redisIsDue() ? await startRedis() : undefined;
  const processes: Shop[] = [];
  for (const index of processNames.keys()) {
    const shared = { ...sharedSecrets, ...(redis && { REDIS_URL: redis.url }), ...env, ...envOf(index) };
    processes.push(await startShop({ env: shared, overrides, stores }));
  }
  return {
    processes,
    redis,
    variables: stores.variables,
    other: (shop) => processes[(processes.indexOf(shop) + 1) % processes.length] ?? shop,
    stop: async () => {
      for (const shop of processes) await shop.stop();
      await redis?.stop();
      await stores.remove();
    },
  };
}

/** A missing Redis is left out, unless the services are required: then its start fails. */
function redisIsDue(): boolean {
  return hasRedis() || process.env.REQUIRE_SERVICES === 'true';
}

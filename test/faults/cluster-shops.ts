import { type Balancer, startBalancer } from './balancer.ts';
import type { Keeper } from './keeper.ts';
import { createShopProcess, type ShopProcess } from './shop-process.ts';
import { type Proxies, type StoreProxy, startStoreProxy } from './store-proxy.ts';
import type { Stores } from './store-servers.ts';

/** A process and what it reaches its stores through. */
export interface ClusterShop extends ShopProcess {
  readonly proxies: Proxies;
  /** what it reaches the catalog through, where that is a service of its own */
  readonly catalog?: StoreProxy;
}

/** What the processes of a shop are made of. */
export interface Ground {
  readonly keeper: Keeper;
  readonly folder: string;
  readonly program: string;
  readonly stores: Stores;
  /** how each reaches the stores through its own proxies */
  readonly reach: (proxies: Proxies) => Readonly<Record<StoreVariable, string>>;
  /** secrets and settings that all of them know */
  readonly common: Readonly<Record<string, string>>;
}

/** Processes that are started, and what stands in front of them. */
export interface Running {
  readonly shops: readonly ClusterShop[];
  readonly balancer: Balancer;
}

type StoreVariable = 'MYSQL_URL' | 'REDIS_URL' | 'DYNAMODB_ENDPOINT' | 'DYNAMODB_TABLE_PREFIX' | 'SQS_QUEUE_URL' | 'SQS_ENDPOINT';

export async function startAlike({ stores, reach, common, ...place }: Ground, processes: number): Promise<Running> {
  const shops: ClusterShop[] = [];
  for (let number = 1; number <= processes; number++) {
    const proxies = await startProxies(stores);
    const shop = await createShopProcess({ name: `shop ${number}`, ...place, env: { ...common, ...reach(proxies) } });
    shops.push({ ...shop, proxies });
  }
  // the tables of DynamoDB are made by the first one
  for (const shop of shops) await shop.start();
  return { shops, balancer: await startBalancer(shops.map(({ port }) => port)) };
}

export async function startProxies(stores: Stores): Promise<Proxies> {
  return {
    mysql: await startStoreProxy(stores.mysql.port, 'mysql'),
    redis: await startStoreProxy(stores.redis.port, 'bytes'),
    dynamo: await startStoreProxy(stores.dynamo.port, 'http'),
    sqs: await startStoreProxy(stores.sqs.port, 'http'),
  };
}

/** All that a process reaches something else through. */
export function proxiesOf({ proxies, catalog }: ClusterShop): readonly StoreProxy[] {
  return [...Object.values(proxies), ...(catalog === undefined ? [] : [catalog])];
}

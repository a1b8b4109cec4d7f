import { randomBytes } from 'node:crypto';
import { serviceOf, startPathRouter } from '../harness/path-router.ts';
import { type ClusterShop, type Ground, type Running, startProxies } from './cluster-shops.ts';
import { lastingPort } from './managed-program.ts';
import { createShopProcess } from './shop-process.ts';
import { startStoreProxy } from './store-proxy.ts';

/**
 * A process for each module behind a balancer that routes by path. Each is given what docs/splitting.md says and no more: its own
 * stores, and the secrets to auth alone. Orders reach the catalog through a proxy. `url` of each is that of the balancer: only all
 * three together answer everything.
 */
export async function startServices({ stores, reach, common, ...place }: Ground): Promise<Running> {
  const internal = { auth: await lastingPort(), catalog: await lastingPort() };
  const link = await startStoreProxy(internal.catalog, 'http');
  const { ownSecrets, settings } = apart(common);
  const tokens = { SERVICE_TOKENS: randomBytes(32).toString('base64url') };
  const create = async (name: ServiceName, env: Readonly<Record<string, string>>) => {
    const proxies = await startProxies(stores);
    const known = Object.entries(reach(proxies)).filter(([variable]) =>
      storesOf[name].some((store) => variable.startsWith(store)),
    );
    const variables = { ...settings, ...tokens, ...Object.fromEntries(known), MODULES: name, ...env };
    const shop = await createShopProcess({ name, ...place, env: variables });
    return { ...shop, proxies, ...(name === 'orders' && { catalog: link }) };
  };
  const auth = await create('auth', { ...ownSecrets, INTERNAL_PORT: String(internal.auth) });
  const authUrls = { AUTH_URL: `http://127.0.0.1:${internal.auth}`, JWKS_URL: `${auth.url}/.well-known/jwks.json` };
  const catalog = await create('catalog', { ...authUrls, INTERNAL_PORT: String(internal.catalog) });
  const orders = await create('orders', { ...authUrls, CATALOG_URL: `http://127.0.0.1:${link.port}` });
  const shops: Readonly<Record<ServiceName, ClusterShop>> = { auth, catalog, orders };
  for (const shop of Object.values(shops)) await shop.start();
  const balancer = await startPathRouter((path) => shops[serviceOf(path)].url);
  return { shops: Object.values(shops).map((shop) => ({ ...shop, url: balancer.url })), balancer };
}

type ServiceName = 'auth' | 'catalog' | 'orders';

const storesOf: Readonly<Record<ServiceName, readonly string[]>> = {
  auth: ['DYNAMODB_', 'REDIS_'],
  catalog: ['MYSQL_', 'REDIS_'],
  orders: ['MYSQL_', 'REDIS_', 'SQS_'],
};

const secretNames = ['JWT_PRIVATE_KEYS', 'REFRESH_KEYS', 'PASSWORD_PEPPER', 'ADMIN_USERNAME', 'ADMIN_PASSWORD'];

function apart(common: Readonly<Record<string, string>>) {
  const entries = Object.entries(common);
  const secret = ([name]: readonly [string, string]) => secretNames.includes(name);
  return {
    ownSecrets: Object.fromEntries(entries.filter(secret)),
    settings: Object.fromEntries(entries.filter((entry) => !secret(entry))),
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type StoreProxy, startStoreProxy } from './faults/store-proxy.ts';
import { eventually } from './harness/eventually.ts';
import { startTask, type Task } from './harness/fleet.ts';
import { freePort } from './harness/server-child.ts';
import { makeShopStores, type ShopStores } from './harness/stores.ts';

/** A process that starts while a store is down. One that gave up would be started again and again, and find the same. */

let stores: ShopStores;
const proxies = new Map<'sql' | 'users', StoreProxy>();
let env: Record<string, string>;
const running: Pick<Task, 'end'>[] = [];

const proxyOf = (store: 'sql' | 'users') => {
  const proxy = proxies.get(store);
  if (proxy === undefined) throw new Error(`no proxy for ${store}`);
  return proxy;
};

beforeAll(async () => {
  stores = await makeShopStores();
  const { MYSQL_URL = '', DYNAMODB_ENDPOINT = '' } = stores.variables;
  const [mysqlUrl, endpoint] = [new URL(MYSQL_URL), new URL(DYNAMODB_ENDPOINT)];
  proxies.set('sql', await startStoreProxy(Number(mysqlUrl.port), 'mysql'));
  proxies.set('users', await startStoreProxy(Number(endpoint.port), 'http'));
  mysqlUrl.host = `127.0.0.1:${proxyOf('sql').port}`;
  endpoint.host = `127.0.0.1:${proxyOf('users').port}`;
  env = {
    ...stores.variables,
    MYSQL_URL: mysqlUrl.href,
    DYNAMODB_ENDPOINT: endpoint.href,
    BCRYPT_COST: '4',
    DRAIN_DELAY_MS: '0',
    ADMIN_USERNAME: 'admin',
    ADMIN_PASSWORD: 'the first admin of all',
  };
  // who comes later finds the tables of the users: only a stand-in lets the shop make them
  await (await startTask({ entry: 'src/server.ts', env, port: await freePort() })).end('SIGKILL');
}, 60_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map((task) => task.end('SIGKILL')));
  await Promise.all([...proxies.values()].map((proxy) => proxy.setMode('pass')));
});

afterAll(async () => {
  await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  await stores.remove();
});

async function start(readiness: 200 | 503): Promise<Task & { readonly url: string }> {
  const task = await startTask({ entry: 'src/server.ts', env, port: await freePort(), readiness });
  running.push(task);
  return { ...task, url: `http://127.0.0.1:${task.port}` };
}

/** One that nobody waits for, with a channel to who watches over it, as pm2 gives it one. */
async function launch() {
  const { PATH = '' } = process.env;
  const port = await freePort();
  const child = spawn(process.execPath, ['src/server.ts'], {
    env: { PATH, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  running.push({
    end: async (signal) => {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  });
  let log = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const messages: unknown[] = [];
  child.on('message', (message) => messages.push(message));
  return { pid: child.pid, url: `http://127.0.0.1:${port}`, log: () => log, messages };
}

const statusOf = async (url: string) => (await fetch(url)).status;

describe('while a store is down', () => {
  it.each(['refuse', 'hold', 'garble'] as const)(
    '(%s the database) a process starts, waits, and is ready when it is back',
    async (mode) => {
      await proxyOf('sql').setMode(mode);
      const { url } = await start(503);
      expect(await statusOf(`${url}/livez`)).toBe(200);
      expect(await statusOf(`${url}/api/products`)).toBe(503);
      await proxyOf('sql').setMode('pass');
      await eventually(async () => expect(await statusOf(`${url}/readyz`)).toBe(200), 10_000);
      expect(await statusOf(`${url}/api/products`)).toBe(200);
    },
  );

  it('a process that lacks the users comes up as soon as they are there', async () => {
    await proxyOf('users').setMode('refuse');
    const { url, log } = await launch();
    await eventually(async () => expect(log()).toContain('waiting for a store to start'));
    await proxyOf('users').setMode('pass');
    await eventually(async () => expect(await statusOf(`${url}/readyz`)).toBe(200));
  });

  it('a process that lacks the users says that it lives before it answers anybody', async () => {
    await proxyOf('users').setMode('refuse');
    const { pid, url, messages } = await launch();
    await eventually(async () => expect(messages).toContainEqual({ type: 'process:msg', data: { alive: pid } }));
    await expect(statusOf(`${url}/livez`)).rejects.toThrow('fetch failed');
  });

  it('a process that waits ends well when it is told to', async () => {
    await proxyOf('sql').setMode('refuse');
    const task = await start(503);
    expect(await task.end('SIGTERM')).toBe(0);
  });
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { temporaryFolder } from './child-process.ts';
import { buildShop } from './harness/built-shop.ts';
import { eventually } from './harness/eventually.ts';
import { describeWithRedis, startRedis } from './harness/redis-server.ts';
import { freePort } from './harness/server-child.ts';
import { makeShopStores } from './harness/stores.ts';

/** The built shop as processes of pm2, in a folder of its own. */

const execute = promisify(execFile);
const root = join(__dirname, '..');
const patienceMs = 60_000;
/** longer than pm2 waits for what it runs */
const endMs = 40_000;

interface Listed {
  readonly pid: number;
  readonly name: string;
  readonly pm2_env: { readonly status: string; readonly restart_time: number };
}

const folder = temporaryFolder();
/** of what was begun, however far that came; the last first */
const endings: (() => Promise<void> | void)[] = [folder.remove];
let env: Record<string, string>;
let cluster: ChildProcess;
let url: string;
let output = '';

const pm2 = async (...words: string[]) =>
  (await execute(process.execPath, [join(folder.path, 'src/commands/cluster.ts'), ...words], { env, maxBuffer: 10_000_000 }))
    .stdout;
const processes = async (name: string): Promise<readonly Listed[]> => {
  const text = await pm2('jlist');
  const all: Listed[] = JSON.parse(text.slice(text.indexOf('[{')));
  return all.filter((one) => one.name === name);
};
const online = (name: string, count: number) =>
  eventually(async () => {
    const found = await processes(name);
    expect(found.map(({ pm2_env }) => pm2_env.status)).toEqual(Array.from({ length: count }, () => 'online'));
    return found;
  }, patienceMs);

/** One GET; answers the status. @throws when the connection is refused, reset or silent */
function get(path: string, agent?: Agent, timeout = 10_000): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { agent, timeout }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('timeout', () => sent.destroy(new Error('silent')));
    sent.once('error', reject);
    sent.end();
  });
}

/** Only a signal that it hears reaches what pm2 runs for it. */
async function end(running: ChildProcess): Promise<void> {
  if (running.exitCode !== null || running.signalCode !== null) return;
  const ended = once(running, 'exit');
  running.kill('SIGTERM');
  const timer = setTimeout(() => running.kill('SIGKILL'), endMs);
  await ended;
  clearTimeout(timer);
}

/** Sends requests on connections that stay open until it is told to stop. Answers what went wrong. */
function load() {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const failures: string[] = [];
  let stopped = false;
  let count = 0;
  const clients = Array.from({ length: 8 }, async () => {
    while (!stopped) {
      count += 1;
      const outcome = await get('/api/products', agent).catch((error: Error) => error.message);
      if (outcome !== 200) failures.push(String(outcome));
      await pause(10);
    }
  });
  return async () => {
    stopped = true;
    await Promise.all(clients);
    agent.destroy();
    return { count, failures };
  };
}

describeWithRedis()('a cluster', () => {
  beforeAll(async () => {
    const redis = await startRedis();
    endings.push(() => redis.stop());
    const stores = await makeShopStores();
    endings.push(() => stores.remove());
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const { PATH = '' } = process.env;
    env = {
      PATH,
      PM2_HOME: join(folder.path, 'pm2'),
      ...stores.variables,
      REDIS_URL: redis.url,
      JWT_PRIVATE_KEYS: generateKeyPairSync('rsa', { modulusLength: 2048 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
      REFRESH_KEYS: randomBytes(32).toString('hex'),
      PASSWORD_PEPPER: randomBytes(32).toString('hex'),
      BCRYPT_COST: '4',
      DRAIN_DELAY_MS: '1000',
      PORT: String(port),
      WORKER_PORT: String(await freePort()),
      WEB_CONCURRENCY: '2',
    };
    await buildShop(folder.path, ['ecosystem.config.js', 'src']);
    cluster = spawn(process.execPath, [join(folder.path, 'src/commands/cluster.ts')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    endings.push(() => end(cluster));
    for (const stream of [cluster.stdout, cluster.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    await eventually(async () => expect(await get('/readyz')).toBe(200), patienceMs);
    await online('api', 2);
    await online('worker', 1);
  }, 180_000);

  afterAll(async () => {
    for (const undo of endings.toReversed()) await undo();
  }, 120_000);

  it('is reloaded under load without one failed request', async () => {
    const before = await processes('api');
    const stop = load();
    await pm2('reload', 'api');
    const { count, failures } = await stop();
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(100);
    const after = await online('api', 2);
    expect(after.map(({ pid }) => pid)).not.toEqual(expect.arrayContaining([before[0]?.pid]));
  }, 120_000);

  it('replaces a worker that dies, while the other goes on', async () => {
    const [victim] = await processes('api');
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await eventually(async () => {
      const now = await online('api', 2);
      expect(now.map(({ pid }) => pid)).not.toContain(victim?.pid);
    }, patienceMs);
    expect(await get('/readyz')).toBe(200);
  }, 120_000);

  it('replaces a worker that hangs', async () => {
    const [victim] = await processes('api');
    process.kill(victim?.pid ?? 0, 'SIGSTOP');
    await eventually(async () => {
      const now = await online('api', 2);
      expect(now.map(({ pid }) => pid)).not.toContain(victim?.pid);
    }, patienceMs);
    expect(output).toContain('ending a process that hangs');
  }, 120_000);

  it('keeps the API to the processes that are for it', async () => {
    const worker = `http://127.0.0.1:${env.WORKER_PORT}`;
    expect((await fetch(`${worker}/readyz`)).status).toBe(200);
    expect((await fetch(`${worker}/api/products`)).status).toBe(404);
  });

  it('ends in order when it is told to', async () => {
    const ended = once(cluster, 'exit');
    const stop = load();
    cluster.kill('SIGTERM');
    // by then a balancer has noticed; what is still sent when the processes end is nobody's
    await pause(600);
    const { failures } = await stop();
    await ended;
    expect(failures).toEqual([]);
    await expect(get('/livez')).rejects.toThrow('ECONNREFUSED');
  }, 60_000);
});

describe('the command for a cluster', () => {
  it('refuses embedded storage in one line', async () => {
    const { PATH = '' } = process.env;
    const refused = execute(process.execPath, [join(root, 'src/commands/cluster.ts')], { env: { PATH } });
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^A cluster can not run on embedded storage, .*MYSQL_URL.*REDIS_URL.*\n$/),
    });
  });
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { openMysql } from '../src/shared/database.ts';
import { pendingMigrations } from '../src/shared/migrations.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { eventually } from './harness/eventually.ts';
import { type OpenLoad, startOpenLoad } from './harness/open-load.ts';
import { type QueueService, startQueue } from './harness/queue.ts';
import { describeWithRedis, type RedisServer, startRedis } from './harness/redis-server.ts';
import { freePort } from './harness/server-child.ts';
import { imageUnderTest } from './harness/services.ts';
import { startShopping } from './harness/shopping.ts';
import { makeServerStores, type ShopStores } from './harness/stores.ts';

/** The image named by SHOP_IMAGE, run as production runs it. `.ci/image` builds it and runs this. */

const execute = promisify(execFile);
const image = imageUnderTest ?? '';
const patienceMs = 120_000;
const admin = { username: 'admin', password: randomBytes(18).toString('base64url') };
/** as ECS would, and nothing of the machine but its network, where the servers of the tests are */
const hardened = [
  ...['--runtime', 'runc', '--network', 'host', '--read-only', '--read-only-tmpfs=false'],
  ...['--tmpfs', '/tmp:rw,nosuid,nodev,noexec,size=64m'],
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ...['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096'],
];

let redis: RedisServer;
let queue: QueueService;
let stores: ShopStores;
let env: Record<string, string>;
const names: string[] = [];

const podman = async (...words: string[]) => (await execute('podman', words, { maxBuffer: 50_000_000 })).stdout;
const flags = (variables: Record<string, string>) =>
  Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
/** Runs another program of the image to its end. @throws with its output when it fails */
const program = (words: readonly string[], options: readonly string[] = []) =>
  podman('run', '--rm', '--no-healthcheck', ...hardened, ...flags(env), ...options, image, ...words);

interface Container {
  readonly name: string;
  /** all that it said, on both of its outputs */
  said(): string;
  /** as `docker stop`: asks, and waits for as long as ECS would. Answers the exit code. */
  stop(): Promise<number | null>;
}

async function start(variables: Record<string, string>, words: readonly string[] = []): Promise<Container> {
  const name = `shop-${randomUUID()}`;
  names.push(name);
  const args = ['run', '--name', name, '--no-healthcheck', ...hardened, ...flags({ ...env, ...variables }), image, ...words];
  const child: ChildProcess = spawn('podman', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  return {
    name,
    said: () => said,
    stop: async () => {
      await podman('stop', '--time', '60', name);
      const [code] = await exited;
      return code;
    },
  };
}

const ready = (port: string | undefined) =>
  eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200), patienceMs);

describeWithRedis()('the image', () => {
  beforeAll(async () => {
    [redis, queue, stores] = await Promise.all([startRedis(), startQueue(), makeServerStores()]);
    env = {
      ...stores.variables,
      REDIS_URL: redis.url,
      AWS_REGION: 'local',
      SQS_ENDPOINT: queue.settings.endpoint ?? '',
      SQS_QUEUE_URL: queue.settings.queueUrl,
      JWT_PRIVATE_KEYS: generateKeyPairSync('rsa', { modulusLength: 2048 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
      REFRESH_KEYS: randomBytes(32).toString('hex'),
      PASSWORD_PEPPER: randomBytes(32).toString('hex'),
      ADMIN_USERNAME: admin.username,
      ADMIN_PASSWORD: admin.password,
      WEB_CONCURRENCY: '1',
      PORT: String(await freePort()),
      WORKER_PORT: String(await freePort()),
    };
  }, patienceMs);

  afterAll(async () => {
    for (const name of names) await podman('rm', '--force', '--time', '0', name).catch(() => '');
    await stores.remove();
    await queue.close();
    await redis.stop();
  }, patienceMs);

  it('holds what production needs and nothing else', async () => {
    const list = `
      import { readdirSync, readFileSync } from 'node:fs';
      const installed = Object.entries(JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages);
      const { components } = JSON.parse(readFileSync('sbom.cdx.json', 'utf8'));
      const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
      console.log(JSON.stringify({
        files: readdirSync('.').sort(),
        dependencies: Object.keys(dependencies),
        unwanted: installed.filter(([, { dev, optional }]) => dev || optional).map(([path]) => path),
        installed: [...new Set(installed.map(([path, { version }]) => path.split('node_modules/').pop() + '@' + version))].sort(),
        listed: [...new Set(components.map(({ group, name, version }) => (group ? group + '/' : '') + name + '@' + version))].sort(),
      }));`;
    const found = JSON.parse(await program(['--input-type=module', '--eval', list]));
    const expected = ['LICENSE', 'dist', 'ecosystem.config.js', 'node_modules', 'package.json', 'sbom.cdx.json'];
    expect(found.files).toEqual(expected);
    expect(found.unwanted).toEqual([]);
    expect(found.listed).toEqual(found.installed);
    for (const name of found.dependencies) expect(found.installed.join('\n')).toContain(`${name}@`);
    const [{ Size, Config }] = JSON.parse(await podman('image', 'inspect', image));
    process.stderr.write(`size of the image: ${(Size / 1e6).toFixed(0)} MB, ${found.installed.length} packages\n`);
    expect(Config).toMatchObject({ User: '1000:1000', StopSignal: 'SIGTERM', Entrypoint: ['node'] });
    expect(Config.Labels).toMatchObject({ 'org.opencontainers.image.title': 'shop', 'org.opencontainers.image.licenses': 'MIT' });
  }, 60_000);

  it('writes nowhere but below /tmp, and is nobody in particular', async () => {
    const attempt = `
      import { writeFileSync } from 'node:fs';
      const outcome = (path) => { try { writeFileSync(path, ''); return 'written'; } catch ({ code }) { return code; } };
      console.log(JSON.stringify([process.getuid(), outcome('/shop/x'), outcome('/home/node/x'), outcome('/tmp/x')]));`;
    const [user, ...outcomes] = JSON.parse(await program(['--input-type=module', '--eval', attempt]));
    expect(user).toBe(1000);
    expect(outcomes).toEqual(['EROFS', 'EROFS', 'written']);
  }, 60_000);

  it('migrates with another command', async () => {
    const db = await openMysql({ url: env.MYSQL_URL ?? '' });
    try {
      expect(await pendingMigrations(db)).not.toEqual([]);
      expect(await program(['dist/src/commands/migrate.js'])).toContain('run: 0001-catalog-products');
      expect(await pendingMigrations(db)).toEqual([]);
    } finally {
      await db.close();
    }
  }, 60_000);

  it('serves as api and worker apart, is found healthy, and ends in order under load', async () => {
    const command = ['node_modules/pm2/bin/pm2-runtime', 'start', 'ecosystem.config.js', '--raw', '--only'];
    const worker = await start({ PORT: env.WORKER_PORT ?? '' }, [...command, 'worker,watch']);
    const api = await start({}, [...command, 'api,watch']);
    await Promise.all([ready(env.PORT), ready(env.WORKER_PORT)]);
    const health = ['exec', api.name, 'node', 'dist/src/commands/health.js'];
    await podman(...health);
    const url = `http://127.0.0.1:${env.PORT}`;
    const shopping = await startShopping(url, admin);
    const load: OpenLoad = startOpenLoad({ url, ratePerSecond: 10, next: shopping.next });
    await eventually(async () => expect(shopping.placed.size).toBeGreaterThan(10), patienceMs);

    const stopped = api.stop();
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(503), patienceMs);
    const { failed } = await load.stop();
    expect(failed).toEqual([]);
    expect(await stopped).toBe(0);

    await eventually(async () => {
      const db = await openMysql({ url: env.MYSQL_URL ?? '' });
      expect(await findingsOf(db).finally(() => db.close())).toEqual([]);
    }, patienceMs);
    expect(await worker.stop()).toBe(0);
    expect(`${api.said()}${worker.said()}`).not.toMatch(/"level":"(error|fatal)"|EROFS|EACCES/);
    expect(await program(['dist/src/commands/audit.js'])).toContain('0 findings');
  }, 300_000);

  it('runs everything in one container when nothing else is said, and ends with 0', async () => {
    const shop = await start({});
    await Promise.all([ready(env.PORT), ready(env.WORKER_PORT)]);
    const look = `
      import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
      const logs = process.env.PM2_HOME + '/logs';
      const sizes = existsSync(logs) ? readdirSync(logs).map((name) => statSync(logs + '/' + name).size) : [];
      console.log(JSON.stringify({ first: readFileSync('/proc/1/cmdline', 'utf8'), logged: sizes.reduce((sum, size) => sum + size, 0) }));`;
    const { first, logged } = JSON.parse(await podman('exec', shop.name, 'node', '--input-type=module', '--eval', look));
    expect(first).toContain('pm2-runtime');
    // the log is what the container says; a copy in its memory would grow for ever
    expect(shop.said()).toContain('"msg":"listening"');
    expect(logged).toBe(0);
    expect(await shop.stop()).toBe(0);
  }, 300_000);
});

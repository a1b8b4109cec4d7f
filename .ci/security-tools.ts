// Attacks a shop of its own, on 127.0.0.1, with what is installed of sqlmap, ffuf and slowhttptest, each within a time of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readQuantiles, shopIsReady, signInAsAdmin } from './attacked-shop.ts';

interface Target {
  readonly url: string;
  readonly token: string;
  readonly productId: string;
}

interface Result {
  readonly tool: string;
  readonly ok: boolean;
  readonly told: string;
}

const sqlmapSeconds = 60;
const slowSeconds = 25;
const slowSockets = 500;
const colour = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** @returns whether nothing was found; a tool that is not installed is told and does not count */
export async function runTools(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'attacked-'));
  const server = await startShop(folder);
  try {
    const target = {
      url: server.url,
      ...(await signInAsAdmin(server.url, readFileSync(join(folder, 'admin-password'), 'utf8').trim())),
    };
    let clean = true;
    for await (const { tool, ok, told } of attackWith(target)) {
      console.log(`${ok ? 'ok  ' : 'FAIL'} ${tool}: ${told}`);
      clean &&= ok;
    }
    return clean;
  } finally {
    server.process.kill('SIGTERM');
    await once(server.process, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* attackWith(target: Target): AsyncGenerator<Result> {
  yield* sqlmap(target);
  yield* ffuf(target);
  yield* slowhttptest(target);
}

async function startShop(folder: string): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort();
  const env = {
    ...process.env,
    DATA_DIR: folder,
    PORT: String(port),
    RATE_LIMIT_ENABLED: 'false',
    LOG_LEVEL: 'silent',
    BCRYPT_COST: '10',
  };
  const child = spawn(process.execPath, ['--disable-proto=delete', 'src/server.ts'], { env, stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await shopIsReady(url);
  return { url, process: child };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('That is no TCP port.');
  return address.port;
}

/** What seems to be injectable on the way is looked at again by sqlmap itself; what it calls so in the end is a finding. Every parameter of a query, a path and a body that takes text. */
function* sqlmap({ url, token, productId }: Target): Generator<Result> {
  if (!isInstalled('sqlmap')) return;
  const json = 'Content-Type: application/json';
  const attacks: readonly (readonly [name: string, ...given: string[]])[] = [
    [
      'the list of products',
      '-u',
      `${url}/api/products?q=lamp&category=a&sku=b&minPrice=1&maxPrice=9&sort=name&cursor=abc&limit=20`,
    ],
    ['a product', '-u', `${url}/api/products/${productId}*`],
    ['the list of orders', '-u', `${url}/api/orders?status=placed&cursor=abc&from=2026-01-01&to=2026-01-02&userId=${productId}`],
    ['the summary', '-u', `${url}/api/orders/summary?from=2026-01-01&to=2026-01-31`],
    ['users', '-u', `${url}/api/auth/users?cursor=abc&limit=20`],
    ['signing in', '-u', `${url}/api/auth/login`, '-H', json, '--data', '{"username":"ada*","password":"a fine password*"}'],
    ['refreshing', '-u', `${url}/api/auth/refresh`, '-H', json, '--data', '{"refreshToken":"abc*"}'],
    [
      'a new product',
      '-u',
      `${url}/api/products`,
      '-H',
      json,
      '--data',
      '{"sku":"S*","name":"n*","price":{"amount":1,"currency":"GBP"},"category":"c*"}',
    ],
    [
      'an order',
      '-u',
      `${url}/api/orders`,
      '-H',
      json,
      '-H',
      'Idempotency-Key: k*',
      '--data',
      `{"items":[{"productId":"${productId}*","quantity":1}]}`,
    ],
  ];
  for (const [name, ...given] of attacks) {
    const options = ['--batch', '--flush-session', '--level=2', '--risk=2', '--threads=1', '--timeout=10', '--retries=0'];
    const ignored = ['--ignore-code=400,401,404,409,422', '--disable-coloring', '-H', `Authorization: Bearer ${token}`];
    const { stdout } = spawnSync('sqlmap', [...given, ...options, ...ignored], {
      encoding: 'utf8',
      timeout: sqlmapSeconds * 1000,
    });
    const found = /is vulnerable|identified the following injection point/i.exec(stdout ?? '');
    const ended = /all tested parameters do not appear to be injectable/.test(stdout ?? '');
    yield {
      tool: `sqlmap, ${name}`,
      ok: found === null,
      told: found?.[0] ?? (ended ? 'nothing found' : `nothing found in ${sqlmapSeconds} s, then stopped`),
    };
  }
}

/** Paths that people forget. Nothing but what is documented may answer otherwise than 404. */
function* ffuf({ url, token }: Target): Generator<Result> {
  if (!isInstalled('ffuf')) return;
  const lists = [
    ['nobody', []],
    ['an admin', ['-H', `Authorization: Bearer ${token}`]],
  ] as const;
  for (const [who, headers] of lists) {
    const { stdout } = spawnSync(
      'ffuf',
      ['-s', '-w', '.ci/hidden-paths.txt', '-u', `${url}/FUZZ`, '-mc', 'all', '-fc', '404', '-t', '4', ...headers],
      {
        encoding: 'utf8',
        timeout: 60_000,
      },
    );
    // ids that are none, below a documented path
    const found = (stdout ?? '')
      .split('\n')
      .filter((path) => path !== '' && !/^api\/(?:products|orders|auth\/users)\/[^/]+$/.test(path));
    yield { tool: `ffuf as ${who}`, ok: found.length === 0, told: found.join(' ') || 'no hidden path' };
  }
}

/** 500 sockets that send a head, or a body, in drops; meanwhile logins flood in and products are read. */
async function* slowhttptest(target: Target): AsyncGenerator<Result> {
  if (!isInstalled('slowhttptest')) return;
  const quiet = await readQuantiles(target, { seconds: 8, logins: 0 });
  for (const [what, mode] of [
    ['heads', '-H'],
    ['bodies', '-B'],
  ] as const) {
    const options = ['-c', String(slowSockets), mode, '-i', '5', '-r', '200', '-x', '24', '-p', '5', '-l', String(slowSeconds)];
    const to =
      mode === '-B' ? ['-t', 'POST', '-u', `${target.url}/api/auth/login`] : ['-t', 'GET', '-u', `${target.url}/api/products`];
    const tool = spawn('slowhttptest', [...options, ...to], { stdio: ['ignore', 'pipe', 'ignore'] });
    // it ends as soon as the shop has closed all of its sockets, which is before its time is over
    const ended = once(tool, 'exit');
    let output = '';
    tool.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    const busy = await readQuantiles(target, { seconds: slowSeconds / 2, logins: 4 });
    await ended;
    const unavailable = /service available:\s*\S*NO/.test(output.replaceAll(colour, ''));
    const told = `service ${unavailable ? 'was not always available' : 'available throughout'}; p99 of a product read ${busy.toFixed(1)} ms, quiet ${quiet.toFixed(1)} ms`;
    yield { tool: `slowhttptest, ${slowSockets} slow ${what}`, ok: !unavailable, told };
  }
}

function isInstalled(program: string): boolean {
  const found = spawnSync('which', [program]).status === 0;
  if (!found) console.log(`left out: ${program} is not installed`);
  return found;
}

// Attacks a shop of its own, on 127.0.0.1, with what is installed of ffuf, slowhttptest and sqlmap, each within a time of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Admin, openAdmin, readQuantiles, shopIsReady } from './attacked-shop.ts';
import { type Document, sqlmapTargets } from './sqlmap-targets.ts';

interface Target extends Admin {
  readonly url: string;
}

export interface ToolTimes {
  /** of sqlmap, for each operation; 0: it is left out */
  readonly sqlmapSeconds: number;
  readonly slowSeconds: number;
}

interface Result {
  readonly tool: string;
  readonly ok: boolean;
  readonly told: string;
}

const slowSockets = 500;
const colour = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** @returns whether nothing was found; a tool that is not installed is told and does not count */
export async function runTools(times: ToolTimes): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'attacked-'));
  const server = await startShop(folder);
  try {
    const password = readFileSync(join(folder, 'admin-password'), 'utf8').trim();
    const target = { url: server.url, ...(await openAdmin(server.url, password)) };
    let clean = true;
    for await (const { tool, ok, told } of attackWith(target, times)) {
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

async function* attackWith(target: Target, { sqlmapSeconds, slowSeconds }: ToolTimes): AsyncGenerator<Result> {
  yield* ffuf(target);
  yield* slowhttptest(target, slowSeconds);
  if (sqlmapSeconds > 0) yield* sqlmap(target, sqlmapSeconds);
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

/** What seems to be injectable on the way is looked at again by sqlmap itself; what it calls so in the end is a finding. */
async function* sqlmap({ url, productId, signIn }: Target, secondsEach: number): AsyncGenerator<Result> {
  if (!isInstalled('sqlmap')) return;
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document; // of our own shop
  for (const { operationId, marks, given } of sqlmapTargets(document, { url, id: productId })) {
    const options = ['--batch', '--flush-session', '--level=2', '--risk=2', '--threads=1', '--timeout=10', '--retries=0'];
    const ignored = ['--ignore-code=400,401,403,404,406,409,412,415,422,428,429', '--disable-coloring'];
    // tokens end sooner than a whole run
    const words = [...given, ...options, ...ignored, '-H', `Authorization: Bearer ${await signIn()}`];
    const stdout = await outputOf('sqlmap', words, secondsEach);
    const found = /is vulnerable|identified the following injection point/i.exec(stdout);
    const ended = /all tested parameters do not appear to be injectable/.test(stdout);
    yield {
      tool: `sqlmap, ${operationId}, ${marks} places`,
      ok: found === null,
      told: found?.[0] ?? (ended ? 'nothing found' : `nothing found in ${secondsEach} s, then stopped`),
    };
  }
}

/** Paths that people forget. Nothing but what is documented may answer otherwise than 404. */
async function* ffuf({ url, signIn }: Target): AsyncGenerator<Result> {
  if (!isInstalled('ffuf')) return;
  const lists = [
    ['nobody', []],
    ['an admin', ['-H', `Authorization: Bearer ${await signIn()}`]],
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
async function* slowhttptest(target: Target, seconds: number): AsyncGenerator<Result> {
  if (!isInstalled('slowhttptest')) return;
  const quiet = await readQuantiles(target, { seconds: 8, logins: 0 });
  for (const [what, mode] of [
    ['heads', '-H'],
    ['bodies', '-B'],
  ] as const) {
    const options = ['-c', String(slowSockets), mode, '-i', '5', '-r', '200', '-x', '24', '-p', '5', '-l', String(seconds)];
    const to =
      mode === '-B' ? ['-t', 'POST', '-u', `${target.url}/api/auth/login`] : ['-t', 'GET', '-u', `${target.url}/api/products`];
    const tool = spawn('slowhttptest', [...options, ...to], { stdio: ['ignore', 'pipe', 'ignore'] });
    // it ends as soon as the shop has closed all of its sockets, which is before its time is over
    const ended = once(tool, 'exit');
    let output = '';
    tool.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    const busy = await readQuantiles(target, { seconds: seconds / 2, logins: 4 });
    await ended;
    const unavailable = /service available:\s*\S*NO/.test(output.replaceAll(colour, ''));
    const told = `service ${unavailable ? 'was not always available' : 'available throughout'}; p99 of a product read ${busy.toFixed(1)} ms, quiet ${quiet.toFixed(1)} ms`;
    yield { tool: `slowhttptest, ${slowSockets} slow ${what}`, ok: !unavailable, told };
  }
}

/** What it has written when it ends, or when its time is over. */
async function outputOf(program: string, words: readonly string[], seconds: number): Promise<string> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'], timeout: seconds * 1000 });
  return text(child.stdout);
}

function isInstalled(program: string): boolean {
  const found = spawnSync('which', [program]).status === 0;
  if (!found) console.log(`left out: ${program} is not installed`);
  return found;
}

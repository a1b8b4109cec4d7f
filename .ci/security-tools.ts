// Attacks a shop of its own, on 127.0.0.1, with what is installed of ffuf, slowhttptest and sqlmap, each within a time of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admin, openAdmin, shopIsReady, trafficOf } from './attacked-shop.ts';
import { runProgram } from './run-program.ts';
import { type Document, sqlmapTargets } from './sqlmap-targets.ts';
import { ffufVerdict, slowVerdict, sqlmapVerdict, type Verdict } from './tool-verdicts.ts';

interface Target extends Admin {
  readonly url: string;
  /** for what a tool writes */
  readonly folder: string;
}

export interface ToolTimes {
  /** of sqlmap, for each operation; 0: it is left out */
  readonly sqlmapSeconds: number;
  readonly slowSeconds: number;
}

interface Result extends Verdict {
  readonly tool: string;
}

const slowSockets = 500;

/** @returns whether nothing was found; a tool that is not installed is told and does not count */
export async function runTools(times: ToolTimes): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'attacked-'));
  const server = await startShop(folder);
  try {
    const password = readFileSync(join(folder, 'admin-password'), 'utf8').trim();
    const target = { url: server.url, folder, ...(await openAdmin(server.url, password)) };
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

async function* sqlmap({ url, productId, signIn }: Target, secondsEach: number): AsyncGenerator<Result> {
  if (!isInstalled('sqlmap')) return;
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document; // of our own shop
  for (const { operationId, marks, given } of sqlmapTargets(document, { url, id: productId })) {
    const options = ['--batch', '--flush-session', '--level=2', '--risk=2', '--threads=1', '--timeout=10', '--retries=0'];
    const ignored = ['--ignore-code=400,401,403,404,406,409,412,415,422,428,429', '--disable-coloring'];
    // tokens end sooner than a whole run
    const words = [...given, ...options, ...ignored, '-H', `Authorization: Bearer ${await signIn()}`];
    const ended = await runProgram('sqlmap', words, secondsEach);
    yield { tool: `sqlmap, ${operationId}, ${marks} places`, ...sqlmapVerdict(ended, secondsEach) };
  }
}

/** Paths that people forget. Nothing but what is documented may answer otherwise than 404. */
async function* ffuf({ url, signIn, folder }: Target): AsyncGenerator<Result> {
  if (!isInstalled('ffuf')) return;
  const list = '.ci/hidden-paths.txt';
  const paths = readFileSync(list, 'utf8').trim().split('\n');
  const lists = [
    ['nobody', []],
    ['an admin', ['-H', `Authorization: Bearer ${await signIn()}`]],
  ] as const;
  for (const [who, headers] of lists) {
    const report = join(folder, `paths-as-${who.replace(' ', '-')}.json`);
    // with more threads than one its report misses some of what it asked
    const words = ['-s', '-w', list, '-u', `${url}/FUZZ`, '-mc', 'all', '-t', '1', '-o', report, '-of', 'json', ...headers];
    const ended = await runProgram('ffuf', words, 60);
    const written = existsSync(report) ? readFileSync(report, 'utf8') : undefined;
    yield { tool: `ffuf as ${who}`, ...ffufVerdict(ended, written, paths) };
  }
}

/** 500 sockets that send a head, or a body, in drops; meanwhile logins flood in and products are read. */
async function* slowhttptest(target: Target, seconds: number): AsyncGenerator<Result> {
  if (!isInstalled('slowhttptest')) return;
  const quiet = await trafficOf(target, { seconds: 8, logins: 0 });
  for (const [what, mode] of [
    ['heads', '-H'],
    ['bodies', '-B'],
  ] as const) {
    const options = ['-c', String(slowSockets), mode, '-i', '5', '-r', '200', '-x', '24', '-p', '5', '-l', String(seconds)];
    const to =
      mode === '-B' ? ['-t', 'POST', '-u', `${target.url}/api/auth/login`] : ['-t', 'GET', '-u', `${target.url}/api/products`];
    // it ends as soon as the shop has closed all of its sockets, which is before its time is over
    const [ended, busy] = await Promise.all([
      runProgram('slowhttptest', [...options, ...to], seconds + 30),
      trafficOf(target, { seconds: seconds / 2, logins: 4 }),
    ]);
    yield { tool: `slowhttptest, ${slowSockets} slow ${what}`, ...slowVerdict(ended, { quiet, busy }) };
  }
}

/** Where all programs are required (REQUIRE_SERVICES=true, as in `.ci/run`), a missing one is a failure. */
function isInstalled(program: string): boolean {
  const found = spawnSync('which', [program]).status === 0;
  if (!found && process.env.REQUIRE_SERVICES === 'true') throw new Error(`${program} is missing, and REQUIRE_SERVICES=true.`);
  if (!found) console.log(`left out: ${program} is not installed`);
  return found;
}

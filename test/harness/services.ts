import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The servers that the tests start for themselves, each on a free port and in a folder of its own. */

export interface MissingProgram {
  readonly program: string;
  /** what brings it on Debian */
  readonly debianPackage: string;
}

/** The names of the variables that tell where a server is. One that is set before the run is used instead of a server of our own. */
export const mysqlVariable = 'TEST_MYSQL_URL';
export const dynamoVariable = 'TEST_DYNAMODB_ENDPOINT';

/** A missing program is then a failure, and not a reason to leave the suites out. */
export const servicesRequired = process.env.REQUIRE_SERVICES === 'true';

/** The image that `.ci/image` has built; absent in every other run. */
export const imageUnderTest = process.env.SHOP_IMAGE;

const javaMajor = 17;

/** What has to be installed before the suites of the services can run. */
export function missingPrograms(): readonly MissingProgram[] {
  const missing: MissingProgram[] = [];
  if (process.env[mysqlVariable] === undefined && spawnSync('mariadbd', ['--version']).status !== 0)
    missing.push({ program: 'mariadbd', debianPackage: 'mariadb-server' });
  if (process.env[dynamoVariable] === undefined && !hasJava())
    missing.push({ program: `java, version ${javaMajor} or later`, debianPackage: 'default-jre-headless' });
  return missing;
}

function hasJava(): boolean {
  const { status, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return status === 0 && Number(/version "(\d+)/.exec(stderr)?.[1]) >= javaMajor;
}

export interface Services {
  /** the variables that tell where the servers are */
  readonly variables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts a keeper that starts the servers and stops them when this process is gone, however it ends. */
export async function startServices(): Promise<Services> {
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'service-keeper.ts')], {
    // a group of its own: Ctrl-C on the terminal must not reach the servers before the tests have ended
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, DDB_LOCAL_TELEMETRY: '0' },
  });
  const variables = await firstLine(keeper);
  return {
    variables,
    stop: async () => {
      const ended = once(keeper, 'exit');
      keeper.stdin?.end();
      await ended;
    },
  };
}

async function firstLine(keeper: ChildProcess): Promise<Record<string, string>> {
  if (keeper.stdout === null) throw new Error('a keeper without output');
  for await (const line of createInterface({ input: keeper.stdout })) return JSON.parse(line);
  throw new Error('The servers of the tests did not start.');
}

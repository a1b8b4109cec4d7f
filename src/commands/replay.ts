import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { adminPasswordFileName, adminUsername, type Config, ConfigError, readConfig } from '../shared/config.ts';
import { replay } from './replay-run.ts';
import type { Credentials } from './replay-session.ts';
import { exitCodes, ReplayStop } from './replay-stop.ts';

const usage = `npm run replay -- FILE.csv.gz [--url URL] [--concurrency 32]

Loads the products of an Online Retail file into an empty shop, places every order through the public API
and compares the shop's summary, its orders and its stock with the file.
Signs in with ADMIN_USERNAME and ADMIN_PASSWORD, or with the password that the shop keeps in DATA_DIR.
After an interruption the same command goes on where it ended.

Exit codes: 0 the shop agrees with the file, 1 it does not, 2 usage or setup, 3 the shop is not empty,
4 the shop did not answer for too long.`;

async function main(): Promise<number> {
  const { path, url, concurrency } = readArguments();
  const config = readConfig();
  return replay({ path, url: url ?? addressOf(config), concurrency, admin: adminOf(config), output: process.stdout });
}

function readArguments(): { readonly path: string; readonly url: URL | undefined; readonly concurrency: number } {
  const { values, positionals } = parsedArguments();
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) throw new ReplayStop('setup', usage);
  const url = values.url === undefined ? undefined : URL.parse(values.url);
  if (url === null || (url && !['http:', 'https:'].includes(url.protocol)))
    throw new ReplayStop('setup', '--url has to be an address such as http://127.0.0.1:3000');
  if (!/^[1-9]\d{0,2}$/.test(values.concurrency))
    throw new ReplayStop('setup', '--concurrency has to be a whole number from 1 to 999');
  return { path, url, concurrency: Number(values.concurrency) };
}

function parsedArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { url: { type: 'string' }, concurrency: { type: 'string', default: '32' } },
    });
  } catch (cause) {
    throw new ReplayStop('setup', usage, cause);
  }
}

/** Where the shop of this configuration listens; an address that stands for all is reached on this machine. */
function addressOf({ http: { host, port } }: Config): URL {
  if (host === '0.0.0.0' || host === '::') return new URL(`http://127.0.0.1:${port}`);
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
}

function adminOf({ auth: { admin }, stores: { dataDir } }: Config): Credentials {
  if (admin) return admin;
  const file = join(dataDir, adminPasswordFileName);
  try {
    return { username: adminUsername, password: readFileSync(file, 'utf8').trim() };
  } catch (cause) {
    throw new ReplayStop(
      'setup',
      `${file} can not be read: set ADMIN_USERNAME and ADMIN_PASSWORD, or DATA_DIR to the data folder of the shop`,
      cause,
    );
  }
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    const expected = error instanceof ReplayStop || error instanceof ConfigError;
    console.error(expected ? error.message : error);
    process.exitCode = error instanceof ReplayStop ? error.exitCode : exitCodes.setup;
  },
);

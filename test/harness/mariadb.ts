import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { answering, freePort, type Server, stoppable } from './server-child.ts';
import { mysqlVariable } from './services.ts';

/** As production would have it: durable at every commit, nothing that a laptop's own configuration says. */
const settings = [
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-buffer-pool-size=256M',
  '--character-set-server=utf8mb4',
  '--max-connections=400',
  '--skip-log-bin',
];

/** A MariaDB of our own with a user that may do everything. */
export async function startMariaDb(folder: string, servers: Server[]): Promise<Readonly<Record<string, string>>> {
  mkdirSync(folder, { mode: 0o700 });
  const password = await installMariaDb(folder);
  const port = await freePort();
  const server = spawn('mariadbd', mariaDbArguments(folder, port), {
    env: mariaDbEnvironment(folder),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  servers.push(stoppable(server));
  const url = `mysql://shop:${password}@127.0.0.1:${port}`;
  await answering('mariadbd', server, async () => {
    const connection = await mysql.createConnection(url);
    await connection.end();
  });
  return { [mysqlVariable]: url };
}

/** Prepares the folder of a server. Answers the password of its user `shop`. */
export async function installMariaDb(folder: string): Promise<string> {
  mkdirSync(temporaryFolderIn(folder), { mode: 0o700, recursive: true });
  await install(
    ['--no-defaults', `--datadir=${dataFolderIn(folder)}`, owner(), '--auth-root-authentication-method=normal', '--skip-test-db'],
    mariaDbEnvironment(folder),
  );
  const password = randomBytes(16).toString('hex');
  const grants = [
    `CREATE USER IF NOT EXISTS 'shop'@'127.0.0.1' IDENTIFIED BY '${password}'`,
    `GRANT ALL ON *.* TO 'shop'@'127.0.0.1' WITH GRANT OPTION`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}'`,
  ];
  writeFileSync(initFileIn(folder), `${grants.join(';\n')};\n`, { mode: 0o600 });
  return password;
}

/** What the server of an installed folder is started with, any number of times. */
export function mariaDbArguments(folder: string, port: number): readonly string[] {
  return [
    '--no-defaults',
    owner(),
    `--datadir=${dataFolderIn(folder)}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--port=${port}`,
    `--init-file=${initFileIn(folder)}`,
    ...settings,
  ];
}

/** With a folder of its own: a server that starts removes what it takes for left-over temporary tables of a crash. */
export function mariaDbEnvironment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, TMPDIR: temporaryFolderIn(folder) };
}

const temporaryFolderIn = (folder: string) => join(folder, 'temporary');
const dataFolderIn = (folder: string) => join(folder, 'data');
const initFileIn = (folder: string) => join(folder, 'init.sql');
const owner = () => `--user=${userInfo().username}`;

async function install(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn('mariadb-install-db', args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => void errors.push(chunk.toString()));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`mariadb-install-db ended with ${code}: ${errors.join('')}`);
}

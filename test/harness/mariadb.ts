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
  const dataFolder = join(folder, 'data');
  // a folder of its own: a server that starts removes what it takes for left-over temporary tables of a crash
  const TMPDIR = join(folder, 'temporary');
  mkdirSync(TMPDIR, { mode: 0o700 });
  const env = { ...process.env, TMPDIR };
  const owner = `--user=${userInfo().username}`;
  await install(
    ['--no-defaults', `--datadir=${dataFolder}`, owner, '--auth-root-authentication-method=normal', '--skip-test-db'],
    env,
  );
  const password = randomBytes(16).toString('hex');
  const initFile = join(folder, 'init.sql');
  const grants = [
    `CREATE USER 'shop'@'127.0.0.1' IDENTIFIED BY '${password}'`,
    `GRANT ALL ON *.* TO 'shop'@'127.0.0.1'`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}'`,
  ];
  writeFileSync(initFile, `${grants.join(';\n')};\n`, { mode: 0o600 });
  const port = await freePort();
  const server = spawn(
    'mariadbd',
    [
      '--no-defaults',
      owner,
      `--datadir=${dataFolder}`,
      `--socket=${join(folder, 'socket')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--port=${port}`,
      `--init-file=${initFile}`,
      ...settings,
    ],
    { env, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  servers.push(stoppable(server));
  const url = `mysql://shop:${password}@127.0.0.1:${port}`;
  await answering('mariadbd', server, async () => {
    const connection = await mysql.createConnection(url);
    await connection.end();
  });
  return { [mysqlVariable]: url };
}

async function install(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn('mariadb-install-db', args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => void errors.push(chunk.toString()));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`mariadb-install-db ended with ${code}: ${errors.join('')}`);
}

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { livenessProbe } from '../lib/container-scripts.ts';
import { awkwardPassword, type Container, containersOf, environmentOf, sourcesOf } from './containers.ts';
import { synthesize } from './synthesized.ts';

const root = join(import.meta.dirname, '..', '..');
const containers = containersOf(synthesize('prod').template('service'));
const container = (name: string): Container => {
  const found = containers.get(name);
  if (found === undefined) throw new Error(`There is no container ${name}.`);
  return found;
};
const programs = ['api/shop', 'worker/shop', 'migration/migrate', 'operator/shop'] as const;

describe('the environment of a container', () => {
  for (const name of programs) {
    it(`is accepted by the shop, and every variable is known to it (${name})`, () => {
      const { config, names, error } = readByShop(environmentOf(container(name)));
      equal(error, undefined);
      const { url } = config;
      equal(url.password, awkwardPassword);
      equal(url.host, 'shop-prod.cluster-abc.eu-west-1.rds.amazonaws.com:3307');
      equal(url.path, '/shop');
      deepEqual(
        names.filter((variable) => !knownVariables().has(variable)),
        ['PM2_HOME', 'NODE_OPTIONS'],
      );
    });
  }

  it('makes production of the services, each with its part', () => {
    for (const [name, roles] of [
      ['api/shop', { web: true, worker: false }],
      ['worker/shop', { web: false, worker: true }],
    ] as const) {
      const { config } = readByShop(environmentOf(container(name)));
      equal(config.whole.production, true);
      deepEqual(config.whole.roles, roles);
      equal(config.whole.http.host, '0.0.0.0');
      equal(config.whole.http.port, 3000);
      equal(config.whole.http.trustProxyHops, 1);
      deepEqual(config.whole.stores.dynamo, { region: 'eu-west-1', tablePrefix: 'shop-prod-' });
      equal(config.whole.stores.redisUrl.startsWith('rediss://:'), true);
      equal(decodeURIComponent(new URL(config.whole.stores.redisUrl).password), awkwardPassword);
      equal(config.whole.auth.admin === undefined, name === 'api/shop');
    }
  });

  it('is refused as soon as one part of it is missing', () => {
    const whole = environmentOf(container('api/shop'));
    const needed = [
      'DATABASE_HOST',
      'CACHE_HOST',
      'SQS_QUEUE_URL',
      'AWS_REGION',
      'JWT_PRIVATE_KEYS',
      'REFRESH_KEYS',
      'PASSWORD_PEPPER',
    ];
    for (const name of needed) match(readByShop({ ...whole, [name]: '' }).error ?? '', /is missing|needs/, name);
  });

  it('leaves time for the drain and the stores before ECS kills the process', () => {
    const { config } = readByShop(environmentOf(container('api/shop')));
    const server = readFileSync(join(root, 'src', 'server.ts'), 'utf8');
    const closeTimeoutMs = Number(/closeTimeoutMs = (\d+)/.exec(server)?.[1]);
    ok(closeTimeoutMs > 0);
    const { drainDelayMs, drainTimeoutMs } = config.whole.http;
    ok(drainDelayMs + drainTimeoutMs + closeTimeoutMs < container('api/shop').StopTimeout * 1000);
  });

  it('speaks TLS to the database, with the certificates of RDS alone', () => {
    const { config } = readByShop(environmentOf(container('api/shop')));
    equal(config.url.search, '?ssl=Amazon%20RDS');
    const program = `
      import { Sequelize } from 'sequelize';
      import mysql from 'mysql2';
      const { options } = new Sequelize('mysql://a:b@c:1/d?ssl=Amazon%20RDS', { dialect: 'mysql', dialectModule: mysql, logging: false });
      const { ssl } = new mysql.ConnectionConfig({ ...options.dialectOptions });
      console.log(JSON.stringify({ authorities: ssl.ca.length, checked: ssl.rejectUnauthorized !== false }));`;
    const { authorities, checked } = JSON.parse(runNode(['--input-type=module', '--eval', program], {}));
    ok(authorities > 0);
    equal(checked, true);
  });

  it('gives the owner of the schema to the migration only, and the first admin to the worker only', () => {
    const owners = [...containers].filter(([, each]) => sourcesOf(each).DATABASE_USER?.includes('DatabaseSecret'));
    deepEqual(owners.map(([name]) => name).sort(), ['migration/grant', 'migration/migrate']);
    const admins = [...containers].filter(([, each]) => 'ADMIN_PASSWORD' in sourcesOf(each));
    deepEqual(
      admins.map(([name]) => name),
      ['worker/shop'],
    );
  });
});

describe('a container', () => {
  it('runs a program that the build makes', () => {
    for (const name of programs) {
      const [program = ''] = container(name).Command;
      match(program, /^dist\/src\/.*\.js$/);
      ok(existsSync(join(root, program.replace(/^dist\//, '').replace(/\.js$/, '.ts'))), program);
    }
  });

  it('has objects without __proto__ and a heap that grows in small steps, whatever command it is given', () => {
    const entryPoint = ['node', '--disable-proto=delete', '--max-semi-space-size=16', '--heap-growing-percent=100'];
    for (const [name, { EntryPoint }] of containers) deepEqual(EntryPoint, entryPoint, name);
  });

  it('writes nowhere but to /tmp, as nobody in particular, and has a minute to stop', () => {
    for (const [name, { ReadonlyRootFilesystem, User, StopTimeout, LinuxParameters }] of containers) {
      equal(ReadonlyRootFilesystem, true, name);
      equal(User, '1000:1000', name);
      equal(StopTimeout, 60, name);
      deepEqual(
        LinuxParameters.Tmpfs.map(({ ContainerPath }) => ContainerPath),
        ['/tmp'],
        name,
      );
    }
  });

  it('is asked for its health without a shell, and the answer is that of /livez', async () => {
    const { HealthCheck } = container('api/shop');
    equal(HealthCheck?.Command[0], 'CMD');
    deepEqual(HealthCheck?.Command, livenessProbe(3000));
    for (const [status, exitCode] of [
      [200, 0],
      [503, 1],
    ] as const) {
      await using server = createServer((request, response) => response.writeHead(request.url === '/livez' ? status : 404).end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      equal(await exitCodeOf(livenessProbe(port).slice(2)), exitCode);
    }
    equal(await exitCodeOf(livenessProbe(1).slice(2)), 1);
  });
});

interface Read {
  readonly config: {
    readonly whole: {
      readonly production: boolean;
      readonly roles: unknown;
      readonly http: {
        readonly host: string;
        readonly port: number;
        readonly trustProxyHops: number;
        readonly drainDelayMs: number;
        readonly drainTimeoutMs: number;
      };
      readonly stores: { readonly redisUrl: string; readonly dynamo: unknown };
      readonly auth: { readonly admin?: unknown };
    };
    readonly url: { readonly password: string; readonly host: string; readonly path: string; readonly search: string };
  };
  readonly names: readonly string[];
  readonly error?: string;
}

/** Starts Node as the container would, and has the shop's own code read its environment. */
function readByShop(environment: Readonly<Record<string, string>>): Read {
  const program = `
    import { readConfig } from ${JSON.stringify(join(root, 'src', 'shared', 'config.ts'))};
    const names = Object.keys(process.env).filter((name) => name !== 'PATH');
    try {
      const whole = readConfig();
      const url = new URL(whole.stores.mysqlUrl);
      const shown = { password: decodeURIComponent(url.password), host: url.host, path: url.pathname, search: url.search };
      console.log(JSON.stringify({ config: { whole, url: shown }, names }));
    } catch (error) {
      console.log(JSON.stringify({ names, error: error.message }));
    }`;
  return JSON.parse(runNode(['--input-type=module', '--eval', program], environment));
}

function runNode(argv: readonly string[], environment: Readonly<Record<string, string>>): string {
  return execFileSync(process.execPath, argv, {
    env: { PATH: process.env.PATH, ...environment },
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function exitCodeOf(argv: readonly string[]): Promise<number | null> {
  // not synchronously: this very process answers
  return new Promise((resolve) => {
    spawn(process.execPath, argv, { stdio: 'ignore' }).on('exit', resolve);
  });
}

/** Those that the schema of src/shared/config.ts names and .env.example explains. */
function knownVariables(): ReadonlySet<string> {
  const source = readFileSync(join(root, 'src', 'shared', 'config.ts'), 'utf8');
  const schema = /const environment = z\.object\(\{([\s\S]*?)\n\}\);/.exec(source)?.[1] ?? '';
  const example = readFileSync(join(root, '.env.example'), 'utf8');
  const names = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name = '']) => name);
  ok(names.length > 20);
  return new Set(names.filter((name) => example.includes(`${name}=`)));
}

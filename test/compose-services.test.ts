import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readConfig } from '../src/shared/config.ts';
import { temporaryFolder } from './child-process.ts';
import { environmentOf, itWith, resolved } from './harness/compose.ts';
import { eventually } from './harness/eventually.ts';
import { serviceOf } from './harness/path-router.ts';
import { freePort } from './harness/server-child.ts';

/** compose.yaml's profile `services`. There is no engine to start it here: what can be checked without one is. */

const root = join(__dirname, '..');
const itWithCompose = itWith('docker-compose', 'version');
const itWithHaproxy = itWith('haproxy', '-v');

const names = ['auth', 'catalog', 'orders'] as const;
const shop = [...names, 'auth-worker', 'migrate', 'orders-worker', 'secrets', 'service-token'];

describe('a service for each module, in containers on one machine', () => {
  itWithCompose('is there only when it is asked for, and nothing of the other profile is', () => {
    const services = [...resolved('--profile', 'services')];
    const optional = services.filter(([, text]) => /^ {4}- services$/m.test(text)).map(([name]) => name);
    expect(optional.sort()).toEqual([...shop, 'gateway'].sort());
    for (const [name, text] of services) {
      const [, program = ''] = /^ {4}command:\n {4}- (\S+)$/m.exec(text) ?? [];
      if (!shop.includes(name)) continue;
      expect(text).toMatch(/^ {4}read_only: true$/m);
      const source = program.replace(/^dist\/(.*)\.js$/, '$1.ts');
      expect({ name, program, exists: existsSync(join(root, source)) }).toEqual({ name, program, exists: true });
    }
    for (const [, text] of services)
      for (const [, port] of text.matchAll(/^ {4}- (\S+:\d+:\d+)\/tcp$/gm)) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(services.flatMap(([name, text]) => (text.includes('compose-services-haproxy.cfg') ? [name] : []))).toEqual([
      'gateway',
    ]);
  });

  itWithCompose('gives each what production asks of it, and the secrets of accounts to auth alone', () => {
    const services = resolved('--profile', 'services');
    const folders = { '/data': temporaryFolder(), '/service': temporaryFolder() };
    const { PATH = '' } = process.env;
    const make = (name: string, folder: string, words: readonly string[]) =>
      spawnSync(process.execPath, [join(root, 'src/commands/make-secrets.ts'), ...words], {
        env: { PATH, ...environmentOf(services.get(name) ?? ''), DATA_DIR: folder },
        encoding: 'utf8',
      });
    const configOf = (name: string) => {
      const given = Object.entries(environmentOf(services.get(name) ?? ''));
      const moved = given.map(([key, value]) => [
        key,
        value.replace(/^file:(\/data|\/service)/, (_, volume: keyof typeof folders) => `file:${folders[volume].path}`),
      ]);
      return readConfig({ NODE_ENV: 'production', ...Object.fromEntries(moved) });
    };
    try {
      expect(make('secrets', folders['/data'].path, [])).toMatchObject({ status: 0, stderr: '' });
      expect(make('service-token', folders['/service'].path, ['service-token'])).toMatchObject({ status: 0, stderr: '' });
      for (const name of names) {
        const { modules, services: reached, auth } = configOf(name);
        expect(Object.entries(modules).flatMap(([module, runs]) => (runs ? [module] : []))).toEqual([name]);
        expect(reached.tokens).toEqual(configOf('auth').services.tokens);
        expect(auth.jwtPrivateKeys !== undefined).toBe(name === 'auth');
        expect(/^ {4}- secrets:/m.test(services.get(name) ?? '')).toBe(name === 'auth');
      }
      expect(configOf('auth-worker')).toEqual(configOf('auth'));
      expect(configOf('orders-worker')).toEqual(configOf('orders'));
      expect(configOf('orders').services).toMatchObject({ authUrl: 'http://auth:4000', catalogUrl: 'http://catalog:4000' });
      for (const name of ['auth', 'catalog']) expect(configOf(name).services.internalPort).toBe(4000);
    } finally {
      for (const folder of Object.values(folders)) folder.remove();
    }
  });

  itWithHaproxy('has a balancer that leads each path to its service, and none to an internal port', async () => {
    const servers = new Map<string, Awaited<ReturnType<typeof answering>>>();
    for (const name of names) servers.set(name, await answering(name));
    const port = await freePort();
    const configuration = readFileSync(join(root, 'compose-services-haproxy.cfg'), 'utf8');
    expect(configuration).not.toContain(':4000');
    const here = configuration
      .replace('bind :8080', `bind 127.0.0.1:${port}`)
      .replaceAll(/server (\w+) \w+:3000/g, (_, name: string) => `server ${name} 127.0.0.1:${servers.get(name)?.port}`)
      .replace(/^resolvers [\s\S]*?\n\n/m, '')
      .replace('resolvers compose init-addr none', '');
    const folder = temporaryFolder();
    const file = join(folder.path, 'haproxy.cfg');
    writeFileSync(file, here);
    expect(spawnSync('haproxy', ['-c', '-q', '-f', 'compose-services-haproxy.cfg'], { cwd: root }).status).toBe(0);
    const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => expect(await said(`${url}/livez`)).toBe('auth'));
      for (const path of paths) expect([path, await said(url + path)]).toEqual([path, serviceOf(path)]);
    } finally {
      haproxy.kill('SIGKILL');
      for (const { server } of servers.values()) server.close();
      folder.remove();
    }
  });
});

const paths = [
  '/api/orders',
  '/api/orders?limit=1',
  '/api/orders/1/cancel',
  '/api/ordersx',
  '/api/products',
  '/api/products/1/stock',
  '/api/products?sku=1',
  '/api/productsx',
  '/api/auth/me',
  '/api/auth/me/export',
  '/api/auth/me/exports',
  '/.well-known/jwks.json',
  '/openapi.json',
];

/** Says its name. Answers where it listens. */
async function answering(name: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((_request, response) => void response.end(name)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port }; // it listens on a port
}

async function said(url: string): Promise<string> {
  return (await fetch(url)).text();
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../src/shared/config.ts';
import { temporaryFolder } from './child-process.ts';
import { environmentOf, itWith, resolved } from './harness/compose.ts';

/** compose.yaml's profile `production`. There is no engine to start it here: what can be checked without one is. */

const root = join(__dirname, '..');
const itWithCompose = itWith('docker-compose', 'version');
const itWithHaproxy = itWith('haproxy', '-v');

const servers = ['dynamodb', 'mysql', 'sqs', 'valkey'];
const shop = ['api-1', 'api-2', 'migrate', 'secrets', 'worker'];

describe('the shop in containers on one machine', () => {
  itWithCompose('is there only when it is asked for', () => {
    const services = [...resolved('--profile', 'production')];
    const optional = services.filter(([, text]) => /^ {4}profiles:\n {4}- production$/m.test(text)).map(([name]) => name);
    expect(optional.sort()).toEqual(['api-1', 'api-2', 'balancer', 'migrate', 'secrets', 'worker']);
    expect(services.map(([name]) => name).filter((name) => !optional.includes(name))).toEqual(expect.arrayContaining(servers));
    expect(resolved().size).toBe(services.length);
  });

  itWithCompose(
    'runs programs that the build makes, on a file system that is read only, and opens ports to this machine alone',
    () => {
      const services = resolved('--profile', 'production');
      for (const name of shop) {
        expect(services.get(name)).toMatch(/^ {4}read_only: true$/m);
        expect(services.get(name)).toMatch(/^ {4}cap_drop:\n {4}- ALL$/m);
        const [, program = ''] = /^ {4}command:\n {4}- (\S+)$/m.exec(services.get(name) ?? '') ?? [];
        const source = program.replace(/^dist\/(.*)\.js$/, '$1.ts');
        expect({ name, program, exists: existsSync(join(root, source)) }).toEqual({ name, program, exists: true });
      }
      for (const text of services.values())
        for (const [, port] of text.matchAll(/^ {4}- (\S+:\d+:\d+)\/tcp$/gm)) expect(port).toMatch(/^127\.0\.0\.1:/);
      expect(services.get('balancer')).toMatch(/^ {4}- 127\.0\.0\.1:8080:8080\/tcp$/m);
    },
  );

  itWithCompose('has every setting that production asks for, and the secrets that one of the containers makes', () => {
    const services = resolved('--profile', 'production');
    const data = temporaryFolder();
    const { PATH = '' } = process.env;
    const make = () =>
      spawnSync(process.execPath, [join(root, 'src/commands/make-secrets.ts')], {
        env: { PATH, ...environmentOf(services.get('secrets') ?? ''), DATA_DIR: data.path },
        encoding: 'utf8',
      });
    const configOf = (name: string) => {
      const given = Object.entries(environmentOf(services.get(name) ?? ''));
      const moved = given.map(([key, value]) => [key, value.replace('file:/data', `file:${data.path}`)]);
      return readConfig({ NODE_ENV: 'production', ...Object.fromEntries(moved) });
    };
    try {
      expect(make()).toMatchObject({ status: 0, stderr: '' });
      const first = configOf('api-1');
      expect(first).toMatchObject({ production: true, http: { host: '0.0.0.0', port: 3000, trustProxyHops: 1 } });
      expect(first.auth.admin).toMatchObject({ username: 'admin', password: expect.stringMatching(/^\S{12,}$/) });
      expect(make()).toMatchObject({ status: 0 });
      for (const name of ['api-2', 'worker', 'migrate']) expect(configOf(name)).toEqual(first);
    } finally {
      data.remove();
    }
  });

  itWithHaproxy('has a balancer whose configuration is valid', () => {
    const { status, stderr, stdout } = spawnSync('haproxy', ['-c', '-f', 'compose-haproxy.cfg'], { cwd: root, encoding: 'utf8' });
    expect({ status, said: stderr + stdout }).toEqual({ status: 0, said: 'Configuration file is valid\n' });
  });
});

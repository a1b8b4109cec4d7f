import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './child-process.ts';
import { startServer } from './harness/server-process.ts';

const run = promisify(execFile);
const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');

describe('the README', () => {
  it('places a first order, word for word', async () => {
    const section = readme.slice(readme.indexOf('## A first order'));
    const script = /```sh\n(.*?)```/s.exec(section)?.[1] ?? '';
    expect(script).toContain('curl');
    const folder = temporaryFolder();
    const server = await startServer({ DATA_DIR: join(folder.path, 'data') });
    try {
      const { PATH = '' } = process.env;
      const { stdout } = await run('bash', ['-euc', script], {
        cwd: folder.path,
        env: { PATH: `${dirname(process.execPath)}:${PATH}`, SHOP: server.url },
      });
      const [status, stock = ''] = stdout.trim().split('\n');
      expect(status).toBe('confirmed');
      const said = /It ends with `confirmed` and `(.*)`\./.exec(readme)?.[1];
      expect(stock).toContain(said);
    } finally {
      await server.kill('SIGTERM');
      folder.remove();
    }
  });

  it('names files and folders that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target ?? '');
    const paths = [...readme.matchAll(/`((?:src|test|docs|migrations)\/[^`\s]*)`/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const path of [...links, ...paths]) expect(() => readFileSync(join(__dirname, '..', path))).not.toThrow('ENOENT');
  });
});

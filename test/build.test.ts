import { execFile } from 'node:child_process';
import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import supertest from 'supertest';
import { temporaryFolder } from './child-process.ts';
import { startServer } from './harness/server-process.ts';

const run = promisify(execFile);
const root = join(__dirname, '..');

describe('the build', () => {
  it('runs without its sources', async () => {
    const folder = temporaryFolder();
    symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'));
    copyFileSync(join(root, 'package.json'), join(folder.path, 'package.json'));
    await run(join(root, 'node_modules/.bin/tsc'), [
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      join(folder.path, 'dist'),
    ]);
    const server = await startServer({ DATA_DIR: join(folder.path, 'data') }, { entry: join(folder.path, 'dist/src/server.js') });
    try {
      const { body } = await supertest(server.url).get('/openapi.json').expect(200);
      expect(body.info.version).toMatch(/^\d+\.\d+\.\d+$/);
      await supertest(server.url).get('/docs').expect(200);
    } finally {
      expect(await server.kill('SIGTERM')).toBe(0);
      folder.remove();
    }
  }, 60_000);
});

import { join } from 'node:path';
import supertest from 'supertest';
import { temporaryFolder } from './child-process.ts';
import { buildShop } from './harness/built-shop.ts';
import { startServer } from './harness/server-process.ts';

describe('the build', () => {
  it('runs without its sources', async () => {
    const folder = temporaryFolder();
    const entry = await buildShop(folder.path);
    const server = await startServer({ DATA_DIR: join(folder.path, 'data') }, { entry });
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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from './child-process.ts';
import { retailFileOf } from './harness/retail-sample.ts';
import { startShop } from './harness/shop.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe('npm run replay', () => {
  it('signs in with the password that the shop keeps in its data folder, and prints the result only', async () => {
    const shop = await startShop({ env: { ADMIN_USERNAME: '', ADMIN_PASSWORD: '' } });
    const dataDir = dirname(shop.app.adminPasswordFile ?? '');
    const { exitCode, output, errors } = await command([retailFileOf(folder.path), '--concurrency', '2'], {
      DATA_DIR: dataDir,
      PORT: new URL(shop.url).port,
    });
    await shop.stop();
    expect(errors).toBe('');
    expect(output).toMatch(/^orders +3\n/);
    expect(output).toMatch(/\nThe shop agrees with the file[^\n]+\n$/);
    expect(exitCode).toBe(0);
  });

  it('signs in as the environment says', async () => {
    const variables = { ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: 'the admin of this shop' };
    const shop = await startShop({ env: variables });
    const { exitCode } = await command([retailFileOf(folder.path), '--url', `${shop.url}/`], variables);
    await shop.stop();
    expect(exitCode).toBe(0);
  });

  it.each([
    [[], /FILE\.csv\.gz/],
    [['a.csv.gz', 'b.csv.gz'], /FILE\.csv\.gz/],
    [['--speed', '9', 'a.csv.gz'], /FILE\.csv\.gz/],
    [['--concurrency', '0', 'a.csv.gz'], /--concurrency has to be/],
    [['--url', 'shop.example', 'a.csv.gz'], /--url has to be/],
    [['a.csv.gz'], /admin-password can not be read: set ADMIN_USERNAME/],
  ])('with %j says what it needs, with exit code 2', async (args, message) => {
    const { exitCode, output, errors } = await command(args, { DATA_DIR: join(folder.path, 'none') });
    expect(errors).toMatch(message);
    expect(output).toBe('');
    expect(exitCode).toBe(2);
  });
});

async function command(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['src/commands/replay.ts', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode, output, errors };
}

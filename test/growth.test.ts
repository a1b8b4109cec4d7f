import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

it('what requests cost is compared on shops of different sizes, whose answers and data are right', async () => {
  const program = join(__dirname, '..', 'bench', 'bench.ts');
  const { stdout } = await run(process.execPath, [program, '--smoke', 'growth', '--sizes', '200,300'], { timeout: 110_000 });
  expect(stdout).toMatch(/^\| operation \| 200 \| 300 \| ratio \| met \|$/m);
  for (const operation of ['get', 'deep-page', 'search-rare', 'order', 'own-orders-many', 'summary-year', 'audit-row'])
    expect(stdout).toMatch(new RegExp(`^\\| ${operation} \\| [\\d.]+ \\([\\d.]+\\), [\\d.]+, [\\d.]+ \\|`, 'm'));
}, 120_000);

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The driver is the version that the shop has. */
const packages = { '@vendure/core': '3.7.3', mysql2: '3.24.6' };
const longestInstallMs = 600_000;

/**
 * Installs Vendure from npm into a folder outside of the repository, unless it is there already. No script of a package is run: bcrypt, the only one with
 * native code that is needed, brings its binaries along. @throws when npm fails
 */
export async function installVendure(folder: string): Promise<void> {
  if (Object.entries(packages).every(([name, version]) => installedVersion(folder, name) === version)) return;
  mkdirSync(folder, { recursive: true });
  const manifest = { name: 'vendure-baseline', private: true, dependencies: packages };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  // an `npm run` around this tells where it runs itself
  const options = ['--prefix', folder, '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...options], { cwd: folder, timeout: longestInstallMs });
}

export const vendureVersion = packages['@vendure/core'];

function installedVersion(folder: string, name: string): string | undefined {
  const manifest = join(folder, 'node_modules', name, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

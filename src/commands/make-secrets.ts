import { randomBytes } from 'node:crypto';
import { gatherSecrets } from '../app-stores.ts';
import { readConfig } from '../shared/config.ts';
import { openDataFolder } from '../shared/data-folder.ts';

/**
 * Makes the secrets that the settings do not give, and on embedded storage the password of the first admin, in DATA_DIR, and leaves those that
 * are there as they are: so that several processes can be told of the same ones by `file:`. Not with NODE_ENV=production, where
 * nothing is made up. With the word `service-token` only what services call each other with, which belongs in a folder of its own:
 * each of them reads it, and none but auth may read the others.
 */
function main(): void {
  const config = readConfig();
  const folder = openDataFolder(config.stores.dataDir);
  try {
    if (process.argv[2] === 'service-token') folder.keep('service-token', () => randomBytes(32).toString('base64url'));
    else gatherSecrets(config, folder);
  } finally {
    folder.close();
  }
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

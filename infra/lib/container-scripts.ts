import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Programs of a few lines that travel in the task definition, because the image is the shop's and knows nothing of AWS. */

/** for NODE_OPTIONS: Node runs the script before the program */
export const connectionUrlsPreload = `--import=data:text/javascript,${encodeURIComponent(read('connection-urls.js'))}`;

/** arguments of `node` */
export const grantAccess = ['--input-type=module', '--eval', read('grant-access.js')];

/** Without a shell or curl: the program itself asks whether it lives. */
export function livenessProbe(port: number): readonly string[] {
  const url = `http://127.0.0.1:${port}/livez`;
  return ['CMD', 'node', '-e', `fetch('${url}').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`];
}

function read(file: string): string {
  const text = readFileSync(join(import.meta.dirname, '..', 'container', file), 'utf8');
  return text.replaceAll(/^\/\/.*\n/gm, '');
}

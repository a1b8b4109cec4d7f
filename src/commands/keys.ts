import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessKeyId, makeJwtKey, makeRefreshKey, refreshKeyId } from '../modules/auth/index.ts';
import { keptKeyFiles, keySettings } from '../shared/config.ts';
import { splitList } from '../shared/config-fields.ts';
import { replaceFile } from '../shared/data-folder.ts';
import { pemBlocks } from '../shared/pem-blocks.ts';
import { afterStep, type Step, steps } from './key-rotation.ts';

/**
 * `npm run keys -- rotate [add|promote|retire] [--refresh]`: one step of a rotation of the signing keys, or of the keys of refresh
 * tokens; without a step it shows the keys and what to do. A setting that names a file (or the file in the data folder) is changed;
 * one that is the text itself is written to stdout as it has to be set. Whatever people read goes to stderr. Exit code 1: it failed.
 */
function main(): void {
  const { step, kind } = parseArguments(process.argv.slice(2));
  const setting = kinds[kind];
  const { file, text } = present(kind);
  const keys = setting.parse(text, setting.variable);
  say(`${setting.variable}${file === undefined ? '' : ` (${file})`}`);
  if (step === undefined) {
    show(keys, kind);
    guide(kind, keys.length > 1 ? 'promote, or retire when the new key is first and has been long enough' : 'add');
    return;
  }
  const next = afterStep(step, keys, setting.make);
  show(next, kind);
  if (file === undefined) process.stdout.write(`${setting.format(next)}\n`);
  else replaceFile(file, `${setting.format(next)}\n`);
  say(setting.after[step]);
}

type Kind = 'access' | 'refresh';

const restart = 'Restart all processes, one after the other';
const kinds = {
  access: {
    variable: 'JWT_PRIVATE_KEYS',
    parse: pemBlocks,
    format: (keys: readonly string[]) => keys.map((key) => key.trim()).join('\n'),
    make: makeJwtKey,
    id: accessKeyId,
    after: {
      add: `${restart}. When the last one knows the new key: rotate promote. Who checks tokens by /.well-known/jwks.json keeps it for 5 minutes.`,
      promote: `${restart}. When the last one signs with the new key, wait 15 minutes for the tokens of the old one to end, then: rotate retire.`,
      retire: `${restart}. Then the old key is worth nothing any more.`,
    },
  },
  refresh: {
    variable: 'REFRESH_KEYS',
    parse: (text: string, _name: string) => splitList(text),
    format: (keys: readonly string[]) => keys.join(','),
    make: makeRefreshKey,
    id: refreshKeyId,
    after: {
      add: `${restart}. When the last one knows the new key: rotate promote --refresh.`,
      promote: `${restart}. When the last one uses the new key, wait 30 days, after which every live session has got a token of the new one, then: rotate retire --refresh. At once, when the key has leaked: sessions that have not been used since end.`,
      retire: `${restart}. Then the old key is worth nothing any more.`,
    },
  },
} as const;

function parseArguments(given: readonly string[]): { step: Step | undefined; kind: Kind } {
  const [command, ...rest] = given.filter((argument) => argument !== '--refresh');
  const step = steps.find((name) => name === rest[0]);
  if (command !== 'rotate' || rest.length > 1 || (rest.length === 1 && step === undefined))
    throw new Error('usage: npm run keys -- rotate [add|promote|retire] [--refresh]');
  return { step, kind: given.includes('--refresh') ? 'refresh' : 'access' };
}

/** The setting, and the file that it is in. */
function present(kind: Kind): { readonly file?: string; readonly text: string } {
  const settings = keySettings();
  const set = settings[kind];
  if (set !== undefined && !set.startsWith('file:')) return { text: set };
  const file = set === undefined ? join(settings.dataDir, keptKeyFiles[kind]) : set.slice('file:'.length);
  return { file, text: readFileSync(file, 'utf8') };
}

function show(keys: readonly string[], kind: Kind): void {
  for (const [index, key] of keys.entries()) say(`  ${kinds[kind].id(key)}${index === 0 ? '  makes new tokens' : ''}`);
}

function guide(kind: Kind, next: string): void {
  const option = kind === 'refresh' ? ' --refresh' : '';
  for (const step of steps) say(`npm run keys -- rotate ${step}${option}\n    ${kinds[kind].after[step]}`);
  say(`Next: ${next}.`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

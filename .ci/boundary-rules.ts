import { posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Reference, SourceFile } from './source-file.ts';

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

/** The modules, and for each the neighbours whose front door it may name, by `import type` only. */
export const neighbours: Readonly<Record<string, readonly string[]>> = { auth: [], catalog: [], orders: ['auth', 'catalog'] };

const names = Object.keys(neighbours);
const configFile = 'src/shared/config.ts';
/** It loads the files of migrations/ by their listing. */
const migrationLoader = 'src/shared/migrations.ts';

/** Every rule of the layout that one file breaks. */
export function violationsOf(file: SourceFile): readonly Violation[] {
  const at = (rule: string) => (line: number) => ({ path: file.path, line, rule });
  return [
    ...[misplaced(file.path)].filter((rule) => rule !== undefined).map((rule) => at(rule)(1)),
    ...file.references.flatMap((reference) => {
      const rule = refusal(file.path, reference);
      return rule === undefined ? [] : [at(rule)(reference.line)];
    }),
    ...file.starExports.map(at('`export *` hides what a file offers: name each thing')),
    ...(file.path === configFile || zoneOf(file.path) === 'test'
      ? []
      : file.openedProcess.map(at(`the environment is read in ${configFile} only`))),
    ...(isContract(file.path) ? file.runtimeStatements.map(at('a contract file holds types and nothing else')) : []),
    ...file.texts.flatMap(({ text, line }) =>
      namesForeignTable(file.path, text) ? [at('a table belongs to one module')(line)] : [],
    ),
    ...reachesManyInsides(file).map(at('a test of the inside looks into one module; a story goes through the front doors')),
  ];
}

/** What a path belongs to: a module's name, or `shared`, `source` (the rest of src), `migrations`, `test`, `outside`. */
function zoneOf(path: string): string {
  const [top, second, third] = path.split('/');
  if (top === 'src' && second === 'modules') return third ?? 'outside';
  if (top === 'src') return second === 'shared' ? 'shared' : 'source';
  if (top === 'migrations') return 'migrations';
  return top === 'test' || top === 'bench' ? 'test' : 'outside';
}

function isModule(zone: string): boolean {
  return names.includes(zone);
}

function isFrontDoor(path: string): boolean {
  return /^src\/modules\/[^/]+\/index\.ts$/.test(path);
}

function isContract(path: string): boolean {
  return /^src\/modules\/[^/]+\/[^/]+-api\.ts$/.test(path);
}

function misplaced(path: string): string | undefined {
  const name = posix.basename(path);
  if (/^index\.[cm]?[jt]sx?$/.test(name) && !isFrontDoor(path)) return 'only a module has an index.ts, and one';
  if (path.startsWith('src/modules/') && (!isModule(zoneOf(path)) || path.split('/').length !== 4))
    return 'a file of a module lies flat in a declared module';
  if (isContract(path) && name !== `${zoneOf(path)}-api.ts`) return 'a module has one contract file, named after it';
  if (zoneOf(path) === 'migrations' && ownerOf(path) === undefined) return 'a migration names the module that owns it';
  return undefined;
}

/** The rule that a reference breaks, if any. */
function refusal(from: string, reference: Reference): string | undefined {
  const here = zoneOf(from);
  if (reference.specifier === undefined) {
    return here === 'test' || from === migrationLoader ? undefined : 'a computed import cannot be checked: name the file';
  }
  const to = resolve(from, reference.specifier);
  if (to === undefined) return isContract(from) ? 'a contract file imports types of src/shared and nothing else' : undefined;
  const there = zoneOf(to);
  if (isContract(from))
    return there === 'shared' && reference.typeOnly ? undefined : 'a contract file imports types of src/shared and nothing else';
  if (here === there && here !== 'source') return undefined;
  if (isModule(here)) return refusalInModule(here, to, reference);
  if (here === 'shared') return 'src/shared imports nothing but src/shared';
  if (here === 'migrations') return there === 'shared' ? undefined : 'a migration imports nothing but src/shared';
  if (here === 'source') return refusalInSource(from, to);
  return undefined;
}

function refusalInModule(here: string, to: string, reference: Reference): string | undefined {
  const there = zoneOf(to);
  if (there === 'shared') return undefined;
  if (!isModule(there)) return `a module imports itself, src/shared and its declared neighbours: not ${to}`;
  if (!neighbours[here]?.includes(there)) return `${here} may not depend on ${there}`;
  if (!isFrontDoor(to)) return `the inside of ${there} is private: its front door is src/modules/${there}/index.ts`;
  return reference.typeOnly ? undefined : `${here} names ${there} by \`import type\` only: the instance is passed in`;
}

function refusalInSource(from: string, to: string): string | undefined {
  const there = zoneOf(to);
  if (to === 'src/server.ts') return 'nothing imports the program itself';
  if (to === 'src/app.ts' && from !== 'src/server.ts' && !from.startsWith('src/commands/'))
    return 'only the programs build the app';
  if (there === 'test') return 'the product does not import its tests';
  if (isModule(there) && !isFrontDoor(to))
    return `the inside of ${there} is private: its front door is src/modules/${there}/index.ts`;
  return undefined;
}

/** A test may look into one module (its pure domain, its store); helpers and stories may not look into any. */
function reachesManyInsides(file: SourceFile): readonly number[] {
  if (zoneOf(file.path) !== 'test') return [];
  const inside = file.references.flatMap(({ specifier, line }) => {
    const to = specifier === undefined ? undefined : resolve(file.path, specifier);
    return to !== undefined && isModule(zoneOf(to)) && !isFrontDoor(to) ? [{ zone: zoneOf(to), line }] : [];
  });
  const first = file.path.endsWith('.test.ts') ? inside[0]?.zone : undefined;
  return inside.filter(({ zone }) => zone !== first).map(({ line }) => line);
}

/** The file that a specifier names, from the root of the repository; undefined for a package. URLs decode: `%63atalog` is `catalog`. */
function resolve(from: string, specifier: string): string | undefined {
  if (!/^(\.{1,2}(\/|$)|\/|file:)/.test(specifier)) return undefined;
  const root = pathToFileURL('/').href;
  return fileURLToPath(new URL(new URL(specifier, root + from).pathname, root))
    .replaceAll('\\', '/')
    .slice(1);
}

function ownerOf(path: string): string | undefined {
  return names.find((name) => new RegExp(`\\b${name}\\b`).test(posix.basename(path)));
}

/** Tables carry their module's prefix, so that a neighbour's table in a query is seen. */
function namesForeignTable(path: string, text: string): boolean {
  const zone = zoneOf(path);
  const owner = zone === 'migrations' ? ownerOf(path) : zone;
  if (zone !== 'shared' && (owner === undefined || !isModule(owner))) return false;
  return [...text.matchAll(/\b([a-z]+)_[a-z]/g)].some(([, prefix = '']) => isModule(prefix) && prefix !== owner);
}

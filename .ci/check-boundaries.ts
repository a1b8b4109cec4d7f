// Checks the import rules of the layout (docs/decisions/0001) over every source file of the repository.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Violation } from './boundary-rules.ts';
import { neighbours, violationsOf } from './boundary-rules.ts';
import type { SourceFile } from './source-file.ts';
import { readSource } from './source-file.ts';

const root = join(import.meta.dirname, '..');
const folders = ['src', 'migrations', 'test', 'bench'];

const files = folders.flatMap(sourcesIn).map((path) => readSource(path, readFileSync(join(root, path), 'utf8')));
const references = files.reduce((sum, file) => sum + file.references.length, 0);
const problems = [...unseen(files), ...files.flatMap(violationsOf).map(line)];
for (const problem of problems) console.error(problem);
console.log(`boundaries: ${files.length} files, ${references} imports, ${problems.length} violations`);
process.exitCode = problems.length === 0 ? 0 : 1;

function sourcesIn(folder: string): readonly string[] {
  const entries = readdirSync(root).includes(folder)
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    : [];
  return entries
    .filter((name) => /\.[cm]?[jt]s$/.test(name))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

/** A checker that looked at nothing must not say that all is well. */
function unseen(read: readonly SourceFile[]): readonly string[] {
  const modules = Object.keys(neighbours).map((name) => `src/modules/${name}/`);
  return [...modules, 'src/shared/']
    .filter((folder) => !read.some(({ path, references: named }) => path.startsWith(folder) && named.length > 0))
    .map((folder) => `${folder}: no file with an import was found, so nothing was checked`);
}

function line({ path, line: at, rule }: Violation): string {
  return `${path}:${at}: ${rule}`;
}

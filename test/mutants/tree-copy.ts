import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mutant, mutated } from './mutant.ts';

/** The files of a tree that git does not ignore, as they are now, committed or not. */
export function filesOf(root: string): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
}

/** Copies the files of a tree; installed packages are shared by a link. */
export function copyTree(root: string, files: readonly string[], target: string): void {
  for (const file of files) cpSync(join(root, file), join(target, file));
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
}

/** Does the work while the guard is off, and then puts it back. @throws when the guard's text is not found */
export async function whileMutated<Result>(tree: string, mutant: Mutant, work: () => Promise<Result>): Promise<Result> {
  const path = join(tree, mutant.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, mutated(source, mutant));
  try {
    return await work();
  } finally {
    writeFileSync(path, source);
  }
}

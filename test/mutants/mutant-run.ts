import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JestRun, runTests, type TestOutcome } from './jest-run.ts';
import type { Mutant, NamedTest } from './mutant.ts';
import { copyTree, whileMutated } from './tree-copy.ts';
import { judged, type Verdict } from './verdict.ts';

export interface MutantRun {
  readonly root: string;
  /** what belongs to the tree, from its root */
  readonly files: readonly string[];
  readonly mutants: readonly Mutant[];
  /** how many copies of the tree are worked on at the same time */
  readonly workers: number;
  /** where the servers of the tests are */
  readonly variables: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** called with what has just been found */
  readonly onProgress: (line: string) => void;
}

/**
 * Runs the named tests on the tree as it is, and then those of each mutant with its guard switched off, in copies of the tree.
 * One verdict for each mutant, in their order.
 */
export async function runMutants(run: MutantRun): Promise<readonly Verdict[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mutants-')));
  try {
    const jest = Array.from({ length: run.workers }, (_, index): JestRun => {
      const [tree, temporary] = [join(folder, `tree-${index}`), join(folder, `tmp-${index}`)];
      mkdirSync(temporary);
      copyTree(run.root, run.files, tree);
      return { tree, temporary, variables: run.variables, signal: run.signal };
    });
    const sound = await findSound(run, jest);
    return await shareOut(run.mutants, jest, async (mutant, where) => {
      const verdict = await tryOut(mutant, where, sound);
      run.onProgress(`${verdict.verdict}: ${mutant.guard} (${verdict.reason})`);
      return verdict;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The named tests that pass while every guard is on, by their keys: only those can tell anything. */
async function findSound({ mutants, onProgress }: MutantRun, jest: readonly JestRun[]): Promise<ReadonlySet<string>> {
  const tests = new Map(mutants.flatMap(({ noticedBy }) => noticedBy).map((test) => [keyOf(test), test]));
  const byFile = [...Map.groupBy(tests.values(), ({ project, file }) => `${project} ${file}`).values()];
  const outcomes = await shareOut(byFile, jest, async (ofFile, where) => {
    const ended = await runTests(where, ofFile);
    const failed = ended.filter(({ status }) => status !== 'passed');
    onProgress(
      `${ofFile[0]?.project} ${ofFile[0]?.file}: ${ended.length - failed.length} of ${ended.length} pass without a mutant`,
    );
    for (const { test, messages } of failed) onProgress(`  ${test.name}: ${messages.join('\n').slice(0, 2000)}`);
    return ended;
  });
  return new Set(outcomes.flat().flatMap(({ test, status }) => (status === 'passed' ? [keyOf(test)] : [])));
}

async function tryOut(mutant: Mutant, where: JestRun, sound: ReadonlySet<string>): Promise<Verdict> {
  const startedAt = performance.now();
  const unsound = mutant.noticedBy.filter((test) => !sound.has(keyOf(test)));
  if (unsound.length > 0) {
    const reason = `does not pass without the mutant: ${unsound.map(({ name }) => name).join(', ')}`;
    return { mutant, verdict: 'invalid', reason, seconds: 0 };
  }
  let outcomes: readonly TestOutcome[];
  try {
    outcomes = await whileMutated(where.tree, mutant, () => runTests(where, mutant.noticedBy));
  } catch (error) {
    where.signal.throwIfAborted();
    return { mutant, verdict: 'invalid', reason: error instanceof Error ? error.message : String(error), seconds: 0 };
  }
  return { mutant, ...judged(where.tree, outcomes), seconds: (performance.now() - startedAt) / 1000 };
}

/** Each worker takes the next item when it is done with one. Answers in the order of the items. */
async function shareOut<Item, Worker, Result>(
  items: readonly Item[],
  workers: readonly Worker[],
  work: (item: Item, worker: Worker) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  await Promise.all(
    workers.map(async (worker) => {
      for (let index = next++; index < items.length; index = next++) {
        const item = items[index];
        if (item !== undefined) results[index] = await work(item, worker);
      }
    }),
  );
  return results;
}

function keyOf({ project, file, name }: NamedTest): string {
  return `${project} ${file} ${name}`;
}

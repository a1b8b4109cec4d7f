import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { NamedTest } from './mutant.ts';
import { outcomeFileVariable, type SuiteOutcome } from './outcome-reporter.ts';

/** How one test ended. */
export interface TestOutcome {
  readonly test: NamedTest;
  /** `absent`: it was not run */
  readonly status: 'passed' | 'failed' | 'absent';
  /** why it failed, or was not run */
  readonly messages: readonly string[];
}

export interface JestRun {
  /** a copy of the repository */
  readonly tree: string;
  /** where tests make their folders, which those that are cut off leave behind */
  readonly temporary: string;
  /** what the tests find in their environment */
  readonly variables: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A test that waits for what the mutant keeps from happening fails after this, and not after a minute. */
const testTimeoutMs = 20_000;
const longestRunMs = 180_000;

/** Runs these tests and no others, in one process of Jest for each project. */
export async function runTests(run: JestRun, tests: readonly NamedTest[]): Promise<readonly TestOutcome[]> {
  const outcomes: TestOutcome[] = [];
  for (const ofProject of Map.groupBy(tests, ({ project }) => project).values())
    outcomes.push(...(await runProject(run, ofProject)));
  return outcomes;
}

async function runProject(
  { tree, temporary, variables, signal }: JestRun,
  tests: readonly NamedTest[],
): Promise<readonly TestOutcome[]> {
  const [first] = tests;
  if (first === undefined) return [];
  const report = join(tree, 'test-outcomes.json');
  rmSync(report, { force: true });
  const child = spawn(process.execPath, jestArguments(tree, first.project, tests), {
    cwd: tree,
    // a group of its own, so that nothing that a test has started outlives it
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...variables, FORCE_COLOR: '0', TMPDIR: temporary, [outcomeFileVariable]: report },
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  const over = new AbortController();
  const tooLong = pause(longestRunMs, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(() => undefined);
  await Promise.race([once(child, 'exit'), tooLong]);
  over.abort();
  endGroup(child.pid);
  signal.throwIfAborted();
  return outcomesIn(report, tests, errors);
}

function jestArguments(tree: string, project: string, tests: readonly NamedTest[]): readonly string[] {
  const names = tests.map(({ name }) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return [
    join(tree, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--runInBand',
    `--reporters=${join(import.meta.dirname, 'outcome-reporter.ts')}`,
    '--forceExit',
    `--testTimeout=${testTimeoutMs}`,
    `--cacheDirectory=${join(tree, '.jest-cache')}`,
    `--selectProjects=${project}`,
    `--testNamePattern=^(?:${names.join('|')})$`,
    '--runTestsByPath',
    ...new Set(tests.map(({ file }) => file)),
  ];
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // all of it has ended
  }
}

function outcomesIn(path: string, tests: readonly NamedTest[], errors: string): readonly TestOutcome[] {
  if (!existsSync(path))
    return tests.map((test) => ({ test, status: 'absent', messages: [`Jest did not come to its end: ${errors}`] }));
  const suites: readonly SuiteOutcome[] = JSON.parse(readFileSync(path, 'utf8'));
  return tests.map((test) => {
    const suite = suites.find(({ testFilePath }) => testFilePath.endsWith(`/${test.file}`));
    const result = suite?.testResults.find(({ fullName, status }) => fullName === test.name && status !== 'pending');
    if (result?.status === 'passed') return { test, status: 'passed', messages: [] };
    if (result?.status === 'failed') return { test, status: 'failed', messages: result.failureMessages };
    return { test, status: 'absent', messages: [suite?.failureMessage || 'There is no such test.'] };
  });
}

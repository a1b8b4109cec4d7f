import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestOutcome } from './jest-run.ts';
import type { Mutant } from './mutant.ts';
import { readTitles } from './test-titles.ts';

export interface Verdict {
  readonly mutant: Mutant;
  /** `killed`: each named test failed by itself; `invalid`: the mutant says nothing about its guard */
  readonly verdict: 'killed' | 'survived' | 'invalid';
  /** what the tests said, in short */
  readonly reason: string;
  readonly seconds: number;
}

/** What tells that the program itself was broken, and not what it promises. */
const brokenProgram =
  /\b(SyntaxError|ReferenceError|Cannot find (?:module|package)|ERR_MODULE_NOT_FOUND|is not a function|is not defined)\b/;

/** What the outcomes of the tests say about a mutant in a copy of the tree. */
export function judged(tree: string, outcomes: readonly TestOutcome[]): Pick<Verdict, 'verdict' | 'reason'> {
  const passed = outcomes.filter(({ status }) => status === 'passed');
  if (passed.length > 0) return { verdict: 'survived', reason: `passes: ${passed.map(({ test }) => test.name).join(', ')}` };
  for (const outcome of outcomes) {
    const broken = whyNoAnswer(tree, outcome);
    if (broken !== undefined) return { verdict: 'invalid', reason: broken };
  }
  return { verdict: 'killed', reason: outcomes.map(({ messages }) => gist(messages)).join(' | ') };
}

/** Why a failure does not count: the test never began, or a hook in front of it failed. */
function whyNoAnswer(tree: string, { test, status, messages }: TestOutcome): string | undefined {
  const text = messages.join('\n');
  if (status === 'absent') return `was not run: ${gist(messages)}`;
  if (brokenProgram.test(text)) return `broke the program: ${gist(messages)}`;
  if (/Exceeded timeout .* for a hook/.test(text) || failedBefore(join(tree, test.file), text))
    return `failed before the test began: ${gist(messages)}`;
  return undefined;
}

/** The innermost call that the test's own file made stands in a hook that runs before the test. */
function failedBefore(path: string, stack: string): boolean {
  const start = stack.indexOf(`${path}:`);
  if (start === -1) return false;
  const line = Number(/^\d+/.exec(stack.slice(start + path.length + 1))?.[0]);
  return readTitles(readFileSync(path, 'utf8')).hooksBefore.some(({ first, last }) => first <= line && line <= last);
}

const gistLength = 160;

/** The first lines of what was said, in one. */
function gist(messages: readonly string[]): string {
  const said = messages.join(' ').split(/\n\s+at /, 1)[0] ?? '';
  return said.replaceAll(/\s+/g, ' ').trim().slice(0, gistLength);
}

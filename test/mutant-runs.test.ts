import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './child-process.ts';
import type { Mutant, NamedTest } from './mutants/mutant.ts';
import { runMutants } from './mutants/mutant-run.ts';
import { summaryOf, tableOf } from './mutants/verdict-table.ts';

/** A tree of one guard and its tests. */

const folder = temporaryFolder();
afterAll(() => folder.remove());

const files = {
  'package.json': '{"type": "module"}',
  'jest.config.js': `
    const transform = { '^.+\\\\.ts$': ['@swc/jest', { swcrc: false, jsc: { parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }] };
    export default { projects: [{ displayName: 'embedded', testMatch: ['**/*.test.ts'], transform }] };`,
  'src/guard.ts': `
    export const take = (left: number, wanted: number) => { if (wanted > left) throw new Error('short'); return left - wanted; };
    export const open = () => { const state = 'open'; return state; };`,
  'test/shelf.test.ts': `
    import { open, take } from '../src/guard.ts';
    let shelf = '';
    beforeAll(() => {
      shelf = open();
      if (shelf !== 'open') throw new Error('closed');
    });
    describe('a shelf', () => {
      it('gives no more than it holds', () => expect(() => take(1, 2)).toThrow('short'));
      it('counts', () => expect(take(2, 1)).toBe(1));
      it('is hopeless', () => expect(shelf).toBe('empty'));
      it('waits', () => new Promise((resolve) => { if (take(2, 1) === 1) resolve(undefined); }), 500);
    });`,
};

const named = (story: string): NamedTest => ({ project: 'embedded', file: 'test/shelf.test.ts', name: `a shelf ${story}` });
const mutant = (guard: string, change: Partial<Mutant>): Mutant => ({
  guard,
  file: 'src/guard.ts',
  text: "if (wanted > left) throw new Error('short');",
  mutation: '',
  noticedBy: [named('gives no more than it holds')],
  ...change,
});
const cases: readonly (readonly [Mutant, string, RegExp])[] = [
  [mutant('is noticed', {}), 'killed', /did not throw/],
  [mutant('is waited for in vain', { text: 'left - wanted', mutation: '0', noticedBy: [named('waits')] }), 'killed', /timeout/],
  [mutant('is not noticed', { noticedBy: [named('counts')] }), 'survived', /passes: a shelf counts/],
  [
    mutant('is noticed by one of two', { noticedBy: [named('gives no more than it holds'), named('counts')] }),
    'survived',
    /passes: a shelf counts/,
  ],
  [mutant('is no program', { mutation: 'if (' }), 'invalid', /was not run/],
  [mutant('calls what is not there', { mutation: 'missing();' }), 'invalid', /broke the program/],
  [mutant('breaks the preparation', { text: "'open'", mutation: "'shut'" }), 'invalid', /failed before the test began/],
  [mutant('is not found', { text: 'if (wanted >= left)' }), 'invalid', /0 times/],
  [mutant('is found twice', { text: 'export const' }), 'invalid', /2 times/],
  [mutant('has a test that fails anyway', { noticedBy: [named('is hopeless')] }), 'invalid', /does not pass without the mutant/],
  [mutant('has a test that does not exist', { noticedBy: [named('flies')] }), 'invalid', /does not pass without the mutant/],
];

describe('a run of mutants', () => {
  it('tells what was noticed from what was not and from what says nothing', async () => {
    const root = join(folder.path, 'root');
    for (const part of ['src', 'test']) mkdirSync(join(root, part), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
    symlinkSync(join(import.meta.dirname, '..', 'node_modules'), join(root, 'node_modules'));
    const lines: string[] = [];
    const verdicts = await runMutants({
      root,
      files: Object.keys(files),
      mutants: cases.map(([each]) => each),
      workers: 2,
      variables: {},
      signal: new AbortController().signal,
      onProgress: (line) => lines.push(line),
    });
    expect(verdicts.map(({ mutant: { guard }, verdict, reason }) => ({ guard, verdict, reason }))).toEqual(
      cases.map(([{ guard }, verdict, reason]) => ({ guard, verdict, reason: expect.stringMatching(reason) })),
    );
    expect(tableOf(verdicts)).toMatch(
      /^survived +\d+\.\d +is not noticed +embedded test\/shelf\.test\.ts: a shelf counts\n {2}src\/guard\.ts: passes/m,
    );
    expect(summaryOf(verdicts)).toBe('11 mutants: 2 killed, 2 survived, 7 invalid');
    expect(lines).toContainEqual('embedded test/shelf.test.ts: 3 of 5 pass without a mutant');
    rmSync(root, { recursive: true });
  }, 120_000);
});

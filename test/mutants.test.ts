import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allMutants } from './mutants/all-mutants.ts';
import { mutated, type NamedTest } from './mutants/mutant.ts';
import { readTitles } from './mutants/test-titles.ts';

/** Looks without running anything; `npm run test:mutants` tries each of them out. */

const root = join(import.meta.dirname, '..');
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const titles = new Map<string, readonly RegExp[]>();
const titlesIn = (file: string) => {
  const found = titles.get(file) ?? readTitles(textOf(file)).tests;
  titles.set(file, found);
  return found;
};

/** The projects of jest.config.js, which no test can import. */
const program = 'import("./jest.config.js").then(({ default: { projects } }) => console.log(JSON.stringify(projects)))';
const projects: readonly { displayName: string; testMatch: readonly string[]; testPathIgnorePatterns?: readonly string[] }[] =
  JSON.parse(
    execFileSync(process.execPath, ['-e', program], {
      cwd: root,
      env: { ...process.env, REQUIRE_SERVICES: 'true' },
      encoding: 'utf8',
    }),
  );
const projectsOf = (file: string) =>
  projects
    .filter(({ testMatch }) => testMatch.includes('**/*.test.ts') || testMatch.includes(`<rootDir>/${file}`))
    .filter(({ testPathIgnorePatterns = [] }) => !testPathIgnorePatterns.some((pattern) => new RegExp(pattern).test(`/${file}`)))
    .map(({ displayName }) => displayName);

const isThere = ({ file, name }: NamedTest) => titlesIn(file).some((title) => title.test(name));

describe('the mutants of the guards', () => {
  it('find the text of their guards once, and change it', () => {
    const wrong = allMutants.flatMap((mutant) => {
      const source = textOf(mutant.file);
      try {
        return mutated(source, mutant) === source ? [`"${mutant.guard}" changes nothing`] : [];
      } catch (error) {
        return [String(error)];
      }
    });
    expect(wrong).toEqual([]);
  });

  it('name tests that exist', () => {
    const named = allMutants.flatMap(({ noticedBy }) => noticedBy);
    expect(named.filter((test) => !isThere(test))).toEqual([]);
    expect(allMutants.filter(({ noticedBy }) => noticedBy.length === 0)).toEqual([]);
    expect(isThere({ project: 'embedded', file: 'test/mutants.test.ts', name: 'the mutants of the guards name nothing' })).toBe(
      false,
    );
  });

  it('name tests of a project that runs them', () => {
    const named = allMutants.flatMap(({ noticedBy }) => noticedBy);
    expect(named.filter(({ project, file }) => !projectsOf(file).includes(project))).toEqual([]);
    expect(projectsOf('test/mutants.test.ts')).toEqual(['embedded']);
    expect(projectsOf('test/claim-races.test.ts')).toEqual(['services']);
  });

  it('have names of their own', () => {
    expect(new Set(allMutants.map(({ guard }) => guard)).size).toBe(allMutants.length);
  });
});

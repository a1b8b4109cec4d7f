import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { attackList } from './harness/attack-list.ts';

const tests = readdirSync('test')
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(`test/${name}`, 'utf8'));

const page = readFileSync('docs/security.md', 'utf8');

describe('the list of attacks', () => {
  it.each(Object.keys(attackList))('%s has a test', (id) => {
    const asATest = new RegExp(`(?:attack|describe|it)\\(\\s*'${id}[' ]`);
    expect(tests.filter((text) => asATest.test(text)).length).toBeGreaterThan(0);
  });

  it('is what `npm run test:security` runs', () => {
    const suites = readFileSync('.ci/test-security.ts', 'utf8');
    const named = page.split('\n').flatMap((line) => /^\| [A-Z]-\d+ \|.*`test\/([\w-]+)\.test\.ts`/.exec(line)?.slice(1) ?? []);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((suite) => !suites.includes(`'${suite}'`))).toEqual([]);
  });

  it('is explained in docs/security.md, which names no file that is not there and leaves no cell empty', () => {
    expect(Object.keys(attackList).filter((id) => !page.includes(`| ${id} |`))).toEqual([]);
    const named = [...page.matchAll(/(?:infra\/)?(?:test|src|docs|\.ci)\/[\w./-]+\.(?:ts|md|json)/g)].map(([path]) => path);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
    const empty = page.split('\n').filter((line) => /^\| \d+\.\d+\.\d+ \|/.test(line) && /\|\s*\|/.test(line));
    expect(empty).toEqual([]);
  });
});

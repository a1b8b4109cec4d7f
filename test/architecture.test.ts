import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { forbidden, type Plant, unclean } from './forbidden-imports.ts';

const root = join(import.meta.dirname, '..');
const copied = ['.ci', 'src', 'migrations', 'test', 'biome.json', 'package.json', 'tsconfig.json', '.gitignore'];

describe('the boundaries of the modules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'architecture-'));
  let clean: Outcomes;
  let planted: Outcomes;

  beforeAll(async () => {
    clean = await check(copyOfTheTree(join(folder, 'clean')));
    planted = await check(plant(copyOfTheTree(join(folder, 'planted')), [...forbidden, ...unclean]));
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it('are part of `npm run check`', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(scripts.check).toMatch(/^npm run -s lint && npm run -s boundaries && /);
  });

  it('let a clean copy of the tree pass, having looked at every file of it', () => {
    const sources = ['src', 'migrations', 'test'].flatMap((name) =>
      readdirSync(join(folder, 'clean', name), { recursive: true, encoding: 'utf8' }),
    );
    expect(clean.lint).toEqual({ code: 0, output: expect.stringMatching(/^Checked \d+ files/) });
    expect(clean.boundaries).toMatchObject({ code: 0 });
    expect(clean.boundaries.output).toContain(`${sources.filter((name) => /\.[jt]s$/.test(name)).length} files`);
    expect(Number(/(\d+) imports/.exec(clean.boundaries.output)?.[1])).toBeGreaterThan(50);
  });

  it('are not called kept when no file was looked at', async () => {
    const empty = copyOfTheTree(join(folder, 'empty'));
    for (const part of ['modules', 'shared']) rmSync(join(empty, 'src', part), { recursive: true });
    const { code, output } = await run('boundaries', empty);
    expect(code).toBe(1);
    for (const part of ['modules/auth', 'modules/catalog', 'modules/orders', 'shared'])
      expect(output).toContain(`src/${part}/: no file`);
  });

  it.each(forbidden)('refuse $kind', ({ file, rule }) => {
    expect(planted.boundaries.code).toBe(1);
    expect(complaints(planted.boundaries.output)).toContainEqual(expect.stringMatching(startingWith(file, rule)));
  });

  it.each(unclean)('refuse $kind', ({ file, rule }) => {
    expect(planted.lint.code).toBe(1);
    expect(complaints(planted.lint.output)).toContainEqual(expect.stringMatching(startingWith(file, rule)));
  });
});

interface Outcome {
  readonly code: number;
  readonly output: string;
}
type Outcomes = Record<'lint' | 'boundaries', Outcome>;

async function check(tree: string): Promise<Outcomes> {
  const [lint, boundaries] = await Promise.all([run('lint', tree), run('boundaries', tree)]);
  return { lint, boundaries };
}

function run(script: string, tree: string): Promise<Outcome> {
  const environment = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
  return new Promise((resolve) => {
    const child = execFile(
      'npm',
      ['run', '-s', script],
      { cwd: tree, env: environment, maxBuffer: 2 ** 24 },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? -1, output: stdout + stderr });
      },
    );
  });
}

function copyOfTheTree(target: string): string {
  for (const name of copied) cpSync(join(root, name), join(target, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
  return target;
}

function plant(tree: string, plants: readonly Plant[]): string {
  for (const { file, code } of plants) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), code);
  }
  return tree;
}

function complaints(output: string): readonly string[] {
  return output.split('\n').filter((line) => /^[\w./-]+:\d+:/.test(line));
}

/** `file:line: rule` of the layout's check, `file:line:column lint/group/rule` of the linter's. */
function startingWith(file: string, rule: string): RegExp {
  const literally = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literally(file)}:\\d+:.*${literally(rule)}`);
}

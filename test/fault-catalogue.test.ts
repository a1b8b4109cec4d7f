import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crashPoints } from '../src/shared/crash-setting.ts';
import { catalogue, shortFaults, shortInjections } from './faults/catalogue.ts';
import { checkedElsewhere, checkers } from './faults/checkers.ts';
import { createRandom } from './faults/random.ts';

const numbers = (prefix: string, last: number) =>
  Array.from({ length: last }, (_, index) => `${prefix}-${String(index + 1).padStart(2, '0')}`);
const root = join(__dirname, '..');

describe('the catalogue of faults', () => {
  it('has a row for each, which is run, covered by tests, or says why not', () => {
    // there is no F-26
    expect(catalogue.map(({ id }) => id)).toEqual([...numbers('F', 68).filter((id) => id !== 'F-26'), ...numbers('L', 10)]);
    for (const row of catalogue) {
      if ('runs' in row) expect(Object.keys(row.runs)).not.toEqual([]);
      else if ('coveredBy' in row) expect(row.coveredBy).not.toEqual([]);
      else expect(row.notInjectable).toMatch(/\w{3,}/);
    }
  });

  it('names tests that exist', () => {
    const tests = catalogue.flatMap((row) => ('coveredBy' in row ? row.coveredBy : []));
    for (const { file, title } of tests) expect(readFileSync(join(root, file), 'utf8')).toContain(title);
  });

  it('goes through every point at which a process can die', () => {
    const row = catalogue.find(({ id }) => id === 'F-04');
    expect(row && 'runs' in row && Object.keys(row.runs)).toEqual(crashPoints);
  });

  it('has short ones for every run, the same for the same seed', () => {
    const names = (seed: number) => Object.keys(shortInjections(createRandom(seed)));
    for (const id of shortFaults) expect(names(1).some((name) => name.startsWith(id))).toBe(true);
    expect(names(1)).toEqual(names(1));
    expect([1, 2, 3, 4].map(names)).not.toEqual([1, 1, 1, 1].map(names));
  });
});

describe('the invariants', () => {
  it('are each checked after every fault, or somewhere else that exists', () => {
    const known = [...checkers, ...checkedElsewhere].map(({ invariant }) => invariant);
    expect([...known].sort()).toEqual(numbers('I', 32));
    for (const { elsewhere } of checkedElsewhere)
      for (const [file] of elsewhere.matchAll(/test\/[\w./-]+\.test\.ts/g)) readFileSync(join(root, file));
  });
});

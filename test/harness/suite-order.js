import Sequencer from '@jest/test-sequencer';

/**
 * Jest begins with the longest files where it does not know yet how long a suite takes. These are short and take long: they
 * start first, or the last of them would run alone at the end, while the other processor waits.
 */
const startFirst = ['cluster', 'crash-points', 'faults', 'growth', 'separate-services'];

export default class SuiteOrder extends Sequencer {
  sort(tests) {
    const isFirst = ({ path }) => startFirst.some((suite) => path.endsWith(`/${suite}.test.ts`));
    const sorted = super.sort(tests);
    return [...sorted.filter(isFirst), ...sorted.filter((test) => !isFirst(test))];
  }
}

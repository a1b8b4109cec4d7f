import Sequencer from '@jest/test-sequencer';

/**
 * Jest begins with the longest files where it does not know yet how long a suite takes. These are short and take long: they start
 * first, in this order, or the last of them would run alone at the end, while the other processor waits. The two that run most
 * processes, `faults` and `separate-services`, are kept apart.
 */
const startFirst = ['faults', 'growth', 'cluster', 'crash-points', 'separate-services'];

export default class SuiteOrder extends Sequencer {
  sort(tests) {
    const rankOf = ({ path }) => startFirst.findIndex((suite) => path.endsWith(`/${suite}.test.ts`));
    const sorted = super.sort(tests);
    const first = sorted.filter((test) => rankOf(test) >= 0).toSorted((one, other) => rankOf(one) - rankOf(other));
    return [...first, ...sorted.filter((test) => rankOf(test) < 0)];
  }
}

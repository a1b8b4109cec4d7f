import { runShortFaults } from './faults/fault-suite.ts';
import { describeWithRedis } from './harness/redis-server.ts';

/** One seed of the short faults; `npm run test:faults` goes through all of them. */
const seed = 1;
const scale = 0.25;
const longestMs = 180_000;

describeWithRedis()('three processes whose stores and selves are killed, frozen and cut off under load', () => {
  it(
    'keep every promise, and everything works again soon',
    async () => {
      const { broken, operations } = await runShortFaults({ seed, scale });
      expect(broken).toEqual(new Map());
      expect(operations).toBeGreaterThan(100);
    },
    longestMs,
  );
});

import { crashEmbedded } from './faults/embedded-crash.ts';
import { type Keeper, startKeeper } from './faults/keeper.ts';

/** A few of the points; `npm run test:faults` goes through all of them, also on the production stores. */
const sample = [
  'after-reserve-commit',
  'before-order-commit',
  'after-order-commit',
  'before-reply',
  'after-publish',
  'after-settle-commit',
  'before-void-commit',
] as const;

let keeper: Keeper;
beforeAll(() => {
  keeper = startKeeper();
});
afterAll(() => keeper.close());

describe('a process on embedded storage that dies while it works on an order', () => {
  it.each(sample)('finishes it or gives it up after the next start: %s', async (point) => {
    expect(await crashEmbedded(point, keeper)).toEqual([]);
  });
});

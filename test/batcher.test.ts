import { createBatcher, type Outcome } from '../src/shared/batcher.ts';

/** A batcher of numbers that writes down its runs; a negative number breaks the batch that it is in. */
function recorded(limits = { maxItems: 4, maxWeight: 10 }) {
  const runs: number[][] = [];
  const call = createBatcher<number, string>({
    limits,
    weigh: (item) => Math.abs(item),
    mayRunAlone: (error) => error instanceof RangeError,
    run: async (items) => {
      runs.push([...items]);
      await new Promise(setImmediate);
      if (items.includes(-1)) throw new RangeError('minus one');
      if (items.includes(-2)) throw new Error('the store is down');
      return items.map((item): Outcome<string> => (item === 0 ? { error: new Error('zero') } : { value: `item ${item}` }));
    },
  });
  return { call, runs };
}

const settled = async (calls: readonly Promise<string>[]) =>
  (await Promise.allSettled(calls)).map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message));

describe('calls that come at the same time', () => {
  it('share a run, as far as its limits allow', async () => {
    const { call, runs } = recorded();
    expect(await settled([1, 2, 3, 1, 1, 9, 2, 30, 1].map(call))).toHaveLength(9);
    expect(runs).toEqual([[1, 2, 3, 1], [1, 9], [2], [30], [1]]);
  });

  it('make up the next run when they come while one is under way', async () => {
    const { call, runs } = recorded();
    const first = call(1);
    while (runs.length === 0) await new Promise(setImmediate);
    await settled([first, call(2), call(3)]);
    expect(runs).toEqual([[1], [2, 3]]);
  });

  it('are answered each for itself', async () => {
    const { call } = recorded();
    expect(await settled([1, 0, 2].map(call))).toEqual(['item 1', 'zero', 'item 2']);
  });

  it('run again one by one when one of them breaks the run', async () => {
    const { call, runs } = recorded();
    expect(await settled([1, -1, 2].map(call))).toEqual(['item 1', 'minus one', 'item 2']);
    expect(runs).toEqual([[1, -1, 2], [1], [-1], [2]]);
  });

  it('fail together when that would not help', async () => {
    const { call, runs } = recorded();
    expect(await settled([1, -2, 2].map(call))).toEqual(Array(3).fill('the store is down'));
    expect(runs).toEqual([[1, -2, 2]]);
    expect(await call(3)).toBe('item 3');
  });

  it('run alone as often as was said, when others keep getting in between', async () => {
    let races = 3;
    const call = createBatcher<number, number>({
      limits: { maxItems: 4, maxWeight: 10 },
      weigh: () => 1,
      mayRunAlone: (error) => error instanceof RangeError,
      triesAlone: 3,
      run: async (items) => {
        if (races-- > 0) throw new RangeError('lost a race');
        return items.map((value) => ({ value }));
      },
    });
    expect(await call(1)).toBe(1);
    races = 5;
    await expect(call(2)).rejects.toThrow('lost a race');
  });

  it('are refused when too many wait, and nothing of theirs is begun', async () => {
    let begun = 0;
    let goOn = () => {};
    const call = createBatcher<number, undefined>({
      limits: { maxItems: 1, maxWeight: 1 },
      weigh: () => 1,
      mayRunAlone: () => false,
      run: async () => {
        begun += 1;
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        return [{ value: undefined }];
      },
    });
    const calls = Array.from({ length: 2500 }, (_, index) => call(index).catch((error: unknown) => error));
    const refused = await Promise.all(calls.slice(2000));
    expect(refused).toEqual(Array(500).fill(expect.objectContaining({ code: 'overloaded' })));
    expect(begun).toBeLessThanOrEqual(1);
    goOn();
  });
});

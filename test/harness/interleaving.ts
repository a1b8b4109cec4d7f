/**
 * Runs operations step by step, one at a time: each waits after every answer of the store until all others do too, and
 * then `choices` says who goes on. So a list of numbers is an interleaving, and a failing one can be made smaller.
 */
export function createInterleaving(choices: readonly number[]) {
  const waiting: (() => void)[] = [];
  let active = 0;
  let step = 0;
  const goOn = () => {
    if (active === 0 || waiting.length < active) return;
    const [next] = waiting.splice((choices[step] ?? 0) % waiting.length, 1);
    step += 1;
    next?.();
  };
  return {
    /** to be awaited after each answer of the store */
    pause: (): Promise<void> => {
      if (active === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        goOn();
      });
    },
    run: async <Result>(operations: readonly (() => Promise<Result>)[]): Promise<Result[]> => {
      active = operations.length;
      return Promise.all(
        operations.map(async (operation) => {
          try {
            return await operation();
          } finally {
            active -= 1;
            goOn();
          }
        }),
      );
    },
  };
}

import { AsyncLocalStorage } from 'node:async_hooks';

/** Which of the waiting operations goes on; `steps` says how many steps each has made. */
export type Pick = (waiting: readonly number[], steps: readonly number[]) => number;

/**
 * Runs operations step by step, one at a time: each waits before every request to the store until all others wait too, and then
 * `pick` says who goes on.
 */
export function createInterleaving(pick: Pick) {
  const operation = new AsyncLocalStorage<number>();
  const waiting = new Map<number, () => void>();
  const steps: number[] = [];
  let active = 0;
  const goOn = () => {
    if (active === 0 || waiting.size < active) return;
    const next = pick([...waiting.keys()].toSorted(), steps);
    const resume = waiting.get(next);
    waiting.delete(next);
    steps[next] = (steps[next] ?? 0) + 1;
    resume?.();
  };
  return {
    /** how many requests each operation has made */
    steps: steps as readonly number[],
    /** to be awaited before each request; others than those of the operations pass */
    pause: (): Promise<void> => {
      const index = operation.getStore();
      if (index === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.set(index, resolve);
        goOn();
      });
    },
    run: <Result>(operations: readonly (() => Promise<Result>)[]): Promise<Result[]> => {
      active = operations.length;
      steps.push(...operations.map(() => 0));
      const ended = () => {
        active -= 1;
        goOn();
      };
      return Promise.all(operations.map((run, index) => operation.run(index, () => run().finally(ended))));
    },
  };
}

/** The first operation makes so many steps, then the second all of its own, then the first goes on. */
export function preemptedAfter(count: number): Pick {
  return (waiting, [first = 0]) => (waiting.includes(0) && (first < count || !waiting.includes(1)) ? 0 : 1);
}

/** Any order, as numbers say; few changes, because most mistakes need few. */
export function prioritized(priorities: readonly number[], changes: readonly number[]): Pick {
  const order = [...priorities];
  let step = 0;
  return (waiting) => {
    step += 1;
    const byPriority = waiting.toSorted((one, other) => (order[other] ?? 0) - (order[one] ?? 0));
    const next = byPriority[0] ?? 0;
    if (changes.includes(step)) order[next] = -step;
    return next;
  };
}

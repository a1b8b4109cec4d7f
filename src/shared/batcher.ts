import { timeLeftMs, withoutDeadline } from './deadline.ts';
import { overloaded } from './failure.ts';

export interface BatchLimits {
  readonly maxItems: number;
  readonly maxWeight: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly weight: number;
  /** monotonic: after that its caller has given up */
  readonly until: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What one item of a batch came to; a refusal of one leaves its neighbours alone. */
export type Outcome<Result> = { readonly value: Result } | { readonly error: unknown };

/** How long an item waits at most; less when its caller has less time left. */
const maxWaitMs = 4000;
const maxWaiting = 2000;

/**
 * Coalesces concurrent calls: those that arrive while a run is under way make up the next one. There is no timer: an idle
 * system runs at the end of the turn. When a run throws and `mayRunAlone` says yes to the error, the batch is run again one by one,
 * so that a bad item does not fail its neighbours, and one that lost a race to another process meets what won (docs/decisions/0007).
 * The queue has a limit in length and time: what does not get its turn is refused as `overloaded`, and was not begun.
 *
 * @param weigh an item's share of `maxWeight`; a heavier item than that goes alone
 * @param run resolves to one outcome per item, in order
 * @param triesAlone how often an item is run alone while `mayRunAlone` says yes, once when absent
 */
export function createBatcher<Item, Result>({
  limits,
  weigh,
  run,
  mayRunAlone,
  triesAlone = 1,
}: {
  readonly limits: BatchLimits;
  readonly weigh: (item: Item) => number;
  readonly run: (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>;
  readonly mayRunAlone: (error: unknown) => boolean;
  readonly triesAlone?: number;
}): (item: Item) => Promise<Result> {
  let queue: Waiting<Item, Result>[] = [];
  let running = false;

  const refuseLate = () => {
    const now = performance.now();
    const late = queue.filter(({ until }) => until <= now);
    if (late.length === 0) return;
    queue = queue.filter(({ until }) => until > now);
    for (const { reject } of late) reject(overloaded());
  };

  const takeBatch = (): Waiting<Item, Result>[] => {
    let weight = 0;
    let count = 0;
    for (const waiting of queue) {
      if (count > 0 && (count >= limits.maxItems || weight + waiting.weight > limits.maxWeight)) break;
      weight += waiting.weight;
      count += 1;
    }
    return queue.splice(0, count);
  };

  const runTogether = async (batch: readonly Waiting<Item, Result>[]) => {
    const outcomes = await run(batch.map((waiting) => waiting.item));
    batch.forEach((waiting, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) waiting.reject(new Error('A batch left an item without an outcome.'));
      else if ('error' in outcome) waiting.reject(outcome.error);
      else waiting.resolve(outcome.value);
    });
  };

  const runAlone = async (waiting: Waiting<Item, Result>) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runTogether([waiting]);
      } catch (error) {
        if (attempt >= triesAlone || !mayRunAlone(error)) return waiting.reject(error);
      }
    }
  };

  const drain = async () => {
    running = true;
    while (queue.length > 0) {
      // The embedded store works without ever waiting, so requests that have arrived are read only if somebody lets them.
      await new Promise(setImmediate);
      refuseLate();
      const batch = takeBatch();
      try {
        await runTogether(batch);
      } catch (error) {
        if (mayRunAlone(error)) for (const waiting of batch) await runAlone(waiting);
        else for (const waiting of batch) waiting.reject(error);
      }
    }
    running = false;
  };

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      if (queue.length >= maxWaiting) throw overloaded();
      queue.push({ item, weight: weigh(item), until: performance.now() + Math.min(maxWaitMs, timeLeftMs()), resolve, reject });
      // a run is for all who share it, so it does not end with the time of the one who began it
      if (!running) void withoutDeadline(drain);
    });
}

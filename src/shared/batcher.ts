export interface BatchLimits {
  readonly maxItems: number;
  readonly maxWeight: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly weight: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What one item of a batch came to; a refusal of one leaves its neighbours alone. */
export type Outcome<Result> = { readonly value: Result } | { readonly error: unknown };

/**
 * Coalesces concurrent calls: those that arrive while a run is under way make up the next one. There is no timer: an idle
 * system runs at the end of the turn. When a run throws and `mayRunAlone` says yes to the error, the batch is run again one by one,
 * so that one bad item never fails its neighbours, and one that lost a race to another process meets what won (docs/decisions/0007).
 *
 * @param weigh an item's share of `maxWeight`; a heavier item than that goes alone
 * @param run resolves to one outcome per item, in order
 */
export function createBatcher<Item, Result>({
  limits,
  weigh,
  run,
  mayRunAlone,
}: {
  readonly limits: BatchLimits;
  readonly weigh: (item: Item) => number;
  readonly run: (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>;
  readonly mayRunAlone: (error: unknown) => boolean;
}): (item: Item) => Promise<Result> {
  const queue: Waiting<Item, Result>[] = [];
  let running = false;

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

  const drain = async () => {
    running = true;
    while (queue.length > 0) {
      // The embedded store works without ever waiting, so requests that have arrived are read only if somebody lets them.
      await new Promise(setImmediate);
      const batch = takeBatch();
      try {
        await runTogether(batch);
      } catch (error) {
        if (mayRunAlone(error)) for (const waiting of batch) await runTogether([waiting]).catch(waiting.reject);
        else for (const waiting of batch) waiting.reject(error);
      }
    }
    running = false;
  };

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      queue.push({ item, weight: weigh(item), resolve, reject });
      if (!running) void drain();
    });
}

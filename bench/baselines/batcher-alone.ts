/** Stands for `createBatcher` of the shop where nothing is batched: every call is a run of its own, at once. */
type Outcome<Result> = { readonly value: Result } | { readonly error: unknown };

export function createBatcher<Item, Result>({
  run,
  mayRunAlone,
  triesAlone = 1,
}: {
  readonly run: (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>;
  readonly mayRunAlone: (error: unknown) => boolean;
  readonly triesAlone?: number;
}): (item: Item) => Promise<Result> {
  return async (item) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const [outcome] = await run([item]);
        if (outcome === undefined) throw new Error('A run left its item without an outcome.');
        if ('error' in outcome) throw outcome.error;
        return outcome.value;
      } catch (error) {
        if (attempt >= triesAlone || !mayRunAlone(error)) throw error;
      }
    }
  };
}

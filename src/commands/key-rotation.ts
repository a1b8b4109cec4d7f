/** The three rolling steps of a rotation. The first key makes new tokens, all of them verify. */
export const steps = ['add', 'promote', 'retire'] as const;
export type Step = (typeof steps)[number];

/**
 * The keys after a step: a new one last, so that every process knows it before it is used; then it first, so that it is used;
 * then the old one gone. At any time half of the processes may be one step behind.
 * @throws when the step can't follow what is there
 */
export function afterStep(step: Step, keys: readonly string[], make: () => string): readonly string[] {
  const [first, ...rest] = keys;
  if (first === undefined) throw new Error('there is no key to begin with');
  if (step === 'add') return [...keys, make()];
  const last = rest.pop();
  if (last === undefined) throw new Error(`there is only one key, so there is nothing to ${step}: add one first`);
  return step === 'promote' ? [last, first, ...rest] : [first, ...rest];
}

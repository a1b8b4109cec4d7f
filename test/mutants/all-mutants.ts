import type { Mutant } from './mutant.ts';
import { reservationMutants } from './reservation-mutants.ts';
import { stockMutants } from './stock-mutants.ts';

/** Every guard that a test has to notice when it is gone. */
export const allMutants: readonly Mutant[] = [...stockMutants, ...reservationMutants];

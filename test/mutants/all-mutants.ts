import { accountMutants } from './account-mutants.ts';
import { configMutants } from './config-mutants.ts';
import { eventMutants } from './event-mutants.ts';
import { httpMutants } from './http-mutants.ts';
import type { Mutant } from './mutant.ts';
import { orderMutants } from './order-mutants.ts';
import { overloadMutants } from './overload-mutants.ts';
import { processMutants } from './process-mutants.ts';
import { reservationMutants } from './reservation-mutants.ts';
import { sessionMutants } from './session-mutants.ts';
import { sharingMutants } from './sharing-mutants.ts';
import { splitMutants } from './split-mutants.ts';
import { stockMutants } from './stock-mutants.ts';
import { storeMutants } from './store-mutants.ts';
import { summaryMutants } from './summary-mutants.ts';
import { transferMutants } from './transfer-mutants.ts';

/** Every guard that a test has to notice when it is gone. */
export const allMutants: readonly Mutant[] = [
  ...stockMutants,
  ...transferMutants,
  ...reservationMutants,
  ...orderMutants,
  ...summaryMutants,
  ...eventMutants,
  ...storeMutants,
  ...overloadMutants,
  ...accountMutants,
  ...sessionMutants,
  ...sharingMutants,
  ...httpMutants,
  ...splitMutants,
  ...configMutants,
  ...processMutants,
];

import { z } from 'zod';
import { type ProblemCode, problems } from './failure.ts';

/** What both ends of a call agree on. */

/** how many milliseconds the caller has left */
export const deadlineHeader = 'x-deadline-ms';
/** what a call may take whose caller says nothing */
export const contractTimeoutMs = 5000;

/** A failure on its way to the caller. */
export interface RefusedCall {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

export const answeredCall = z.object({ value: z.unknown() });
export const refusedCall = z.object({
  code: z.string().refine((code): code is ProblemCode => code in problems),
  detail: z.string(),
  members: z.record(z.string(), z.unknown()),
  headers: z.record(z.string(), z.string()),
});

import type { z } from 'zod';
import type { ProblemCode } from './failure.ts';

/** What a client should know about one type of problem; the pages and the OpenAPI document are made from it. */
export interface ProblemGuide {
  readonly meaning: string;
  /** what the client should do */
  readonly advice: string;
  /** the members beside the standard ones, by name */
  readonly members?: Readonly<Record<string, z.ZodType>>;
  /** the members of an example */
  readonly example?: Readonly<Record<string, unknown>>;
}

export type ProblemGuides = Readonly<Record<ProblemCode, ProblemGuide>>;

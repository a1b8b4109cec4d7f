import { accountCheckers } from './account-checkers.ts';
import { auditCheckers, conductCheckers } from './conduct-checkers.ts';
import type { Checker, Evidence } from './evidence.ts';
import { orderCheckers } from './order-checkers.ts';
import { productCheckers } from './product-checkers.ts';

/** Everything that is looked at after each fault. */
export const checkers: readonly Checker[] = [
  ...productCheckers,
  ...orderCheckers,
  ...accountCheckers,
  ...auditCheckers,
  ...conductCheckers,
].sort((one, other) => (one.invariant < other.invariant ? -1 : 1));

/** Their checkers count what the audit says; of all others its findings stand beside what the checkers say. */
const countTheAudit: ReadonlySet<string> = new Set(['I-01', 'I-02', 'I-09', 'I-10']);

/** What is broken, by invariant. */
export function violationsOf(evidence: Evidence): ReadonlyMap<string, readonly string[]> {
  const found = checkers.map(({ invariant, check }) => [invariant, check(evidence)] as const);
  const audited = evidence.findings
    .filter(({ invariant }) => !countTheAudit.has(invariant))
    .map(({ invariant, subject, detail }) => [invariant, [`${subject}: ${detail}`]] as const);
  const all = [...found, ...audited].filter(([, lines]) => lines.length > 0);
  return new Map(
    [...Map.groupBy(all, ([invariant]) => invariant)].map(([invariant, groups]) => [
      invariant,
      groups.flatMap(([, lines]) => lines),
    ]),
  );
}

export interface InvariantCoverage {
  readonly invariant: string;
  /** where it is checked when not after each fault */
  readonly elsewhere: string;
}

/** What the fault suite does not look at after each fault, and who does. */
export const checkedElsewhere: readonly InvariantCoverage[] = [
  { invariant: 'I-13', elsewhere: 'test/queued-events.test.ts, and F-03 and F-10, whose late holders meet the guards' },
  { invariant: 'I-20', elsewhere: 'F-05 and F-06 count requests without an answer; test/draining.test.ts' },
  { invariant: 'I-28', elsewhere: 'test/accounts.test.ts' },
  { invariant: 'I-29', elsewhere: 'each checker looks at every process' },
  { invariant: 'I-30', elsewhere: 'test/reservation-sequences.test.ts' },
  { invariant: 'I-31', elsewhere: 'test/erasure.test.ts' },
  { invariant: 'I-32', elsewhere: 'test/fault-checkers.test.ts: each checker sees the evidence that breaks it' },
];

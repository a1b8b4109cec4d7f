import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { fromSql } from './instant.ts';

/** One run of the auditor: what counts as old, how much was looked at, and when to let others go first. */
export interface AuditRun {
  /** milliseconds since 1970; a row that changed less than a minute before may still be on its way from module to module */
  readonly now: number;
  /** how many rows were looked at, by what they are */
  readonly counts: ReadonlyMap<string, number>;
  /** Adds to a count, which is also the name of a metric; nothing at all makes it 0. */
  count(things: string, many?: number): void;
  /** Between two pages: leaves the database to others for a while. @throws when the run has to stop */
  breathe(): Promise<void>;
  /** Between two statements of one snapshot: lets waiting requests go first. @throws when the run has to stop */
  yieldTurn(): Promise<void>;
  /** Waits until what was on its way has arrived. @throws when the run has to stop */
  beforeSecondLook(): Promise<void>;
}

export interface AuditPace {
  /** milliseconds since 1970 */
  readonly now?: number;
  /** the part of the time in which the run may keep the database busy, 1 for all of it */
  readonly share?: number;
  readonly secondLookMs?: number;
  readonly signal?: AbortSignal;
  /** called between pages; a throw ends the run */
  readonly onBreath?: () => Promise<void>;
}

/** Rows that are younger than this before the start of the run are left to the next one. */
export const settledAfterMs = 60_000;
const defaultSecondLookMs = 2000;

export function createAuditRun({
  now = Date.now(),
  share = 1,
  secondLookMs = defaultSecondLookMs,
  signal,
  onBreath,
}: AuditPace = {}): AuditRun {
  const counts = new Map<string, number>();
  let busySince = performance.now();
  const rest = async (ms: number) => {
    await (ms > 0 ? pause(ms, undefined, { signal }) : turn());
    signal?.throwIfAborted();
    busySince = performance.now();
  };
  return {
    now,
    counts,
    count: (things, many = 0) => void counts.set(things, (counts.get(things) ?? 0) + many),
    breathe: async () => {
      const busyMs = performance.now() - busySince;
      await onBreath?.();
      await rest(busyMs / share - busyMs);
    },
    yieldTurn: async () => {
      await turn();
      signal?.throwIfAborted();
    },
    beforeSecondLook: () => rest(secondLookMs),
  };
}

/** Did it happen long enough before the run to count? */
export function isSettled({ now }: Pick<AuditRun, 'now'>, ...times: readonly (string | null | undefined)[]): boolean {
  return times.every((time) => !time || ageMs({ now }, time) > settledAfterMs);
}

/** How old a time of the SQL store (instant.ts) was when the run began. */
export function ageMs({ now }: Pick<AuditRun, 'now'>, time: string): number {
  return now - Date.parse(fromSql(time));
}

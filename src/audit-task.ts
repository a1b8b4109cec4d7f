import type { Logger } from 'pino';
import { type AuditedStores, auditShop } from './audit-shop.ts';
import { takeAuditTurn } from './modules/orders/index.ts';
import { createAuditRun } from './shared/audit-run.ts';
import type { BackgroundTask } from './shared/background.ts';
import type { Finding } from './shared/finding.ts';

/** the part of the time in which the audit may keep the database busy */
const share = 0.1;
const longestLookMs = 60_000;
const maxNamed = 20;

export interface AuditSchedule extends AuditedStores {
  /** 0: never */
  readonly everyMs: number;
  readonly log: Logger;
  /** told of each audit that came to its end how many rows broke an invariant */
  readonly onAudited?: (findings: number) => void;
}

/**
 * Audits the shop every `everyMs`, in one process of all. Its result is one line of the log: level info when nothing was found,
 * error with the first findings when something was. The first look comes a pause after the start, which has other work to do.
 */
export function auditTasks({ everyMs, ...audited }: AuditSchedule): readonly BackgroundTask[] {
  if (everyMs === 0) return [];
  let started = false;
  const run = async (signal: AbortSignal) => {
    if (started) await auditWhenDue({ ...audited, everyMs, signal });
    started = true;
    return false;
  };
  return [{ name: 'shop-audit', everyMs: Math.min(everyMs, longestLookMs), run }];
}

async function auditWhenDue({ everyMs, signal, ...audited }: AuditSchedule & { readonly signal: AbortSignal }): Promise<void> {
  const turn = await takeAuditTurn(audited.db, everyMs);
  if (turn === undefined) return;
  try {
    await auditOnce({ ...audited, signal, keep: turn.keep });
    await turn.end('finished');
  } catch (error) {
    await turn.end(signal.aborted ? 'unfinished' : 'finished');
    if (!signal.aborted) throw error;
  }
}

async function auditOnce({
  log,
  onAudited = () => {},
  signal,
  keep,
  ...stores
}: Omit<AuditSchedule, 'everyMs'> & { readonly signal: AbortSignal; readonly keep: () => Promise<void> }): Promise<void> {
  const startedAt = performance.now();
  const run = createAuditRun({ share, signal, onBreath: keep });
  const first: Finding[] = [];
  let findings = 0;
  for await (const finding of auditShop(stores, run)) {
    findings += 1;
    if (first.length < maxNamed) first.push(finding);
  }
  onAudited(findings);
  const audit = { findings, ...Object.fromEntries(run.counts), durationMs: Math.round(performance.now() - startedAt) };
  if (findings === 0) log.info({ audit }, 'the audit found nothing');
  else log.error({ audit, first }, 'the audit found rows that break an invariant');
}

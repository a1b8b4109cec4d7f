import { auditShop } from '../../src/audit-shop.ts';
import type { AuthAudit } from '../../src/modules/auth/index.ts';
import { auditCatalog } from '../../src/modules/catalog/index.ts';
import { type AuditRun, createAuditRun } from '../../src/shared/audit-run.ts';
import type { Database } from '../../src/shared/database.ts';
import type { Finding } from '../../src/shared/finding.ts';

const hourMs = 3_600_000;

/** A run in which all rows count as old, and the second look comes at once. */
export function auditOfOldRows(): AuditRun {
  return createAuditRun({ now: Date.now() + hourMs, secondLookMs: 0 });
}

/** Everything that the auditor finds, without the users unless given. */
export function findingsOf(db: Database, users?: AuthAudit): Promise<readonly Finding[]> {
  return Array.fromAsync(auditShop({ db, users }, auditOfOldRows()));
}

/** What it finds in the catalog alone. */
export function catalogFindingsOf(db: Database): Promise<readonly Finding[]> {
  return Array.fromAsync(auditCatalog(db, auditOfOldRows()));
}

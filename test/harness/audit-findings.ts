import { auditShop } from '../../src/commands/audit-shop.ts';
import type { Database } from '../../src/shared/database.ts';
import type { Finding } from '../../src/shared/finding.ts';

const hourMs = 3_600_000;

/** Everything that the auditor finds when all rows count as old. */
export async function findingsOf(db: Database): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of auditShop(db, Date.now() + hourMs)) findings.push(finding);
  return findings;
}

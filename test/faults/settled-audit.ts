import { auditShop } from '../../src/audit-shop.ts';
import { openAuthAudit } from '../../src/modules/auth/index.ts';
import { createAuditRun, settledAfterMs } from '../../src/shared/audit-run.ts';
import type { Database } from '../../src/shared/database.ts';
import { openDynamo } from '../../src/shared/dynamo.ts';
import type { Finding } from '../../src/shared/finding.ts';
import { tablePrefix } from './store-servers.ts';

/** The audit leaves to its next run what has changed within a minute. Here all has come to rest, so the minute is taken as over. */
export const afterAMinute = () => createAuditRun({ now: Date.now() + settledAfterMs + 1000, secondLookMs: 500 });

/** What the audit of a cluster that has come to rest finds in both stores. @throws when it has looked at nothing */
export async function settledAudit({
  db,
  stores,
}: {
  readonly db: Database;
  readonly stores: { readonly dynamo: { readonly endpoint: string } };
}): Promise<readonly Finding[]> {
  const dynamo = await openDynamo({ endpoint: stores.dynamo.endpoint, region: 'local', tablePrefix });
  const run = afterAMinute();
  const findings: Finding[] = [];
  try {
    for await (const finding of auditShop({ db, users: await openAuthAudit(dynamo) }, run)) findings.push(finding);
  } finally {
    await dynamo.close();
  }
  const looked = [...run.counts.values()].reduce((sum, count) => sum + count, 0);
  if (looked === 0) throw new Error('The audit looked at nothing.');
  return findings;
}

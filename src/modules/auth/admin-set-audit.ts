import type { AuditRun } from '../../shared/audit-run.ts';
import type { Finding } from '../../shared/finding.ts';
import type { Doubt } from './audit-doubt.ts';
import type { AuthTables } from './auth-tables.ts';

/**
 * I-08 for admins: whoever is in the set of admins is an active admin, and once there was one, one stays. The other way round
 * an admin may be missing: a removal that died takes him out of the set first.
 */
export async function checkAdmins(
  { admins, users }: Pick<AuthTables, 'admins' | 'users'>,
  run: AuditRun,
): Promise<readonly Doubt<string>[]> {
  const set = await admins.get({ set_id: 'admins' });
  if (set === undefined) return [];
  const members = set.entries.filter(({ member }) => member);
  if (run.counts.get('admins') === 0) run.count('admins', members.length);
  const findings: Finding[] = [];
  if (members.length === 0) findings.push({ invariant: 'I-08', subject: 'the set of admins', detail: 'has no member' });
  for (const { user_id: id } of members) {
    const user = await users.get({ user_id: id });
    if (user?.state === 'active' && user.roles?.includes('admin')) continue;
    findings.push({ invariant: 'I-08', subject: `user ${id}`, detail: 'is in the set of admins and is no active admin' });
  }
  return findings.map((finding) => ({ item: 'admins', finding }));
}

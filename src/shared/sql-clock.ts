import type { Sql } from './sql.ts';

/**
 * An SQL expression for the database's own clock in UTC, in the form of src/shared/instant.ts, moved by `offsetMs`.
 * Leases and ages are measured on it, because the clocks of several processes differ.
 */
export function databaseClock({ dialect }: Pick<Sql, 'dialect'>, offsetMs = 0): string {
  const offset = Math.trunc(offsetMs);
  if (dialect === 'mysql')
    return offset === 0 ? 'UTC_TIMESTAMP(3)' : `TIMESTAMPADD(MICROSECOND, ${offset * 1000}, UTC_TIMESTAMP(3))`;
  return `strftime('%Y-%m-%d %H:%M:%f', 'now'${offset === 0 ? '' : `, '${offset / 1000} seconds'`})`;
}

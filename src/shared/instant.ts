/** 'YYYY-MM-DD HH:MM:SS.mmm' in UTC: the text that MySQL takes for a DATETIME(3) and that the embedded store keeps, in time order. */
export function toSql(date: Date): string {
  return date.toISOString().replace('T', ' ').slice(0, -1);
}

/** RFC 3339 in UTC with milliseconds. Takes what either store answers for a DATETIME(3), or what a JavaScript Date holds. */
export function fromSql(value: string | Date): string {
  if (value instanceof Date) return value.toISOString();
  const instant = new Date(`${value.replace(' ', 'T')}Z`);
  if (Number.isNaN(instant.getTime())) throw new RangeError(`not a DATETIME(3): ${value}`);
  return instant.toISOString();
}

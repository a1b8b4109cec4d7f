import type { Database } from '../../src/shared/database.ts';
import type { Statement } from './noted-statements.ts';

let asked = 0;

/** How a store would find the rows of a statement, one line for each table. */
export async function planOf(db: Database, { sql, params }: Statement): Promise<readonly string[]> {
  if (db.dialect === 'sqlite') {
    // a prepared EXPLAIN does not notice that the schema has changed, so each one is a text of its own
    asked += 1;
    const rows = await db.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql} -- ${asked}`, params);
    return rows.map(({ detail }) => detail);
  }
  const rows = await db.rows<Record<string, string | number | null>>(`EXPLAIN ${sql}`, params);
  return rows.map(({ table, type, key, rows: estimate, Extra }) => `${table} ${type} ${key} ${estimate} ${Extra ?? ''}`);
}

/** More rows than any page, batch or open day has. */
const many = 2000;

export interface Fault {
  /** goes through a whole table, or sorts in memory what an index could give in order */
  readonly what: 'scans' | 'sorts';
  readonly line: string;
}

export function faultsOf(dialect: Database['dialect'], plan: readonly string[]): readonly Fault[] {
  const { scans, sorts } = dialect === 'sqlite' ? sqlite : mysql;
  return plan.flatMap((line) => [
    ...(scans(line, plan) ? [{ what: 'scans' as const, line }] : []),
    ...(sorts(line) ? [{ what: 'sorts' as const, line }] : []),
  ]);
}

const sqlite = {
  scans: (line: string, plan: readonly string[]) => {
    const table = /^SCAN (\S+)/.exec(line)?.[1];
    if (table === undefined) return false;
    // what a subquery found, whose own rows have lines of their own; lists of values; the words that a search found
    if (plan.some((other) => other === `CO-ROUTINE ${table}` || other === `MATERIALIZE ${table}`)) return false;
    return !/^SCAN (?:\S+ VIRTUAL TABLE|\d+-ROW VALUES|CONSTANT ROW)/.test(line);
  },
  sorts: (line: string) => /^USE TEMP B-TREE FOR (?!LAST TERM)/.test(line),
};

const mysql = {
  scans: (line: string) => {
    const [table = '', type, , rows] = line.split(' ');
    if (line.includes('Table function') || table.startsWith('<')) return false;
    return type === 'ALL' || (type === 'index' && Number(rows) > many);
  },
  sorts: (line: string) => /Using (?:filesort|temporary)/.test(line),
};

/** How many rows MySQL reads for a statement, by its own count; what it changes is undone. */
export async function rowsRead(db: Database, { sql, params }: Statement): Promise<number> {
  let read = 0;
  const undone = new Error('undone');
  const work = db.transaction(async (tx) => {
    const count = async () => {
      const counters = await tx.rows<{ Value: string }>("SHOW SESSION STATUS LIKE 'Handler\\_read%'");
      return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const before = await count();
    await (/^\s*SELECT/i.test(sql) ? tx.rows(sql, params) : tx.run(sql, params));
    read = (await count()) - before;
    throw undone;
  });
  await work.catch((error: unknown) => {
    if (error !== undone) throw error;
  });
  return read;
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sql } from '../../src/shared/database.ts';
import type { Migration } from '../../src/shared/migrations.ts';

const folder = join(__dirname, '..', '..', 'migrations');

/** The steps of the schema by their names. */
export async function migrationSteps(): Promise<readonly { readonly name: string; readonly migration: Migration }[]> {
  return Promise.all(
    readdirSync(folder)
      .sort()
      .map(async (file) => ({ name: file.replace(/\.ts$/, ''), migration: (await import(join(folder, file))).migration })),
  );
}

/** What a step would have a store do. */
export async function statementsOf({ up }: Migration, dialect: Sql['dialect']): Promise<readonly string[]> {
  const statements: string[] = [];
  const noted = <T>(answer: T) => {
    return async (sql: string) => {
      statements.push(sql);
      return answer;
    };
  };
  await up({ dialect, rows: noted([]), run: noted(0) });
  return statements;
}

/** A new column that an INSERT of the version before would leave out. */
const addsRequired =
  /\bADD\s+(?!CONSTRAINT|INDEX|KEY|UNIQUE|FULLTEXT|CHECK|FOREIGN|PRIMARY)(?:COLUMN\s+)?[^,]*\bNOT NULL\b(?![^,]*\bDEFAULT\b)/i;
const takesAway = /\b(?:DROP|RENAME|TRUNCATE)\b|\bDELETE\s+FROM\b/i;
const changesColumn =
  /\bALTER\s+TABLE\b.*\b(?:MODIFY|CHANGE|ALTER\s+COLUMN|ADD\s+(?:CONSTRAINT|UNIQUE|CHECK|FOREIGN|PRIMARY))\b/is;

/**
 * The statements that a program of the version before may stumble over: what it uses is gone or has another name, or its writes are
 * refused. A table that the step itself makes is nobody else's yet.
 */
export function narrowing(statements: readonly string[]): readonly string[] {
  const own = new Set(
    statements.flatMap((sql) => /^\s*CREATE\s+(?:VIRTUAL\s+)?TABLE\s+(?:IF NOT EXISTS\s+)?(\w+)/i.exec(sql)?.[1] ?? []),
  );
  const onUnique = (sql: string) => /^\s*CREATE\s+UNIQUE\s+INDEX\s+(?:IF NOT EXISTS\s+)?\w+\s+ON\s+(\w+)/i.exec(sql)?.[1];
  return statements.filter((sql) => {
    if (/^\s*CREATE\s+(?:VIRTUAL\s+)?TABLE\b|^\s*CREATE\s+TRIGGER\b/i.test(sql)) return false;
    const unique = onUnique(sql);
    if (unique !== undefined) return !own.has(unique);
    return [addsRequired, takesAway, changesColumn].some((rule) => rule.test(sql));
  });
}

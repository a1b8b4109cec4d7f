/** A guard of the shop, how it is switched off, and who has to notice. */
export interface Mutant {
  /** the guard in plain words, unique */
  readonly guard: string;
  /** from the root of the repository */
  readonly file: string;
  /** the exact source text of the guard, which the file holds once */
  readonly text: string;
  /** what stands there while the guard is off */
  readonly mutation: string;
  /** each of them has to fail */
  readonly noticedBy: readonly NamedTest[];
}

export interface NamedTest {
  /** a project of jest.config.js */
  readonly project: 'embedded' | 'services' | 'split';
  /** from the root of the repository */
  readonly file: string;
  /** the titles of its blocks and its own, joined by spaces */
  readonly name: string;
}

/** A test that is run on embedded storage. */
export const embedded = (suite: string, name: string): NamedTest => ({ project: 'embedded', file: fileOf(suite), name });

/** A test that is run on MariaDB and DynamoDB Local. */
export const services = (suite: string, name: string): NamedTest => ({ project: 'services', file: fileOf(suite), name });

/** A test that is run with a service for each module. */
export const split = (suite: string, name: string): NamedTest => ({ project: 'split', file: fileOf(suite), name });

const fileOf = (suite: string) => `test/${suite}.test.ts`;

/** The source without the guard. @throws when the guard's text is not found exactly once, so that no mutant rots in silence */
export function mutated(source: string, { guard, file, text, mutation }: Mutant): string {
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`${file} holds the text of "${guard}" ${parts.length - 1} times instead of once`);
  return parts.join(mutation);
}

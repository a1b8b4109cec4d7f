/** One cell of a CSV record. Only a cell in quotes can be an empty text: `""` is one, nothing at all is no value. */
export interface CsvCell {
  readonly text: string;
  readonly quoted: boolean;
}

const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)/y;

/** The cells of a record (RFC 4180), undefined when a quote stands where none may. */
export function readCsvRecord(record: string): readonly CsvCell[] | undefined {
  const cells: CsvCell[] = [];
  for (cell.lastIndex = 0; ; ) {
    const match = cell.exec(record);
    if (match === null) return undefined;
    const [, quoted, plain = '', end] = match;
    cells.push({ text: quoted?.replaceAll('""', '"') ?? plain, quoted: quoted !== undefined });
    if (end === '') return cells;
  }
}

const needsQuotes = /[",\r\n]|^$|^\s|\s$/;

/** A record with its line end; undefined is no value. */
export function writeCsvRecord(cells: readonly (string | undefined)[]): string {
  const written = cells.map((text) => {
    if (text === undefined) return '';
    return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(',')}\r\n`;
}

const calculated = /^['=+\-@＝＋－＠\t\r\n]/u;

/**
 * A text that no spreadsheet calculates: in front of what could begin a formula stands an apostrophe (OWASP, CSV Injection), and in front
 * of an apostrophe another one, so that `unguarded` finds exactly what it was.
 */
export function guarded(text: string): string {
  return calculated.test(text) ? `'${text}` : text;
}

/** What `guarded` was given. A text that no one guarded stays as it is, unless it begins as a guarded one would. */
export function unguarded(text: string): string {
  return text.startsWith("'") && calculated.test(text.slice(1)) ? text.slice(1) : text;
}

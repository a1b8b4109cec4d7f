/** A record of a text as its bytes, without what ends it; undefined: it is longer than allowed. */
export type RecordBytes = Buffer | undefined;

export interface RecordForm {
  /** a longer record is left out, and costs no memory */
  readonly maxBytes: number;
  /** as in CSV (RFC 4180): a line end inside quotes does not end a record */
  readonly quoted: boolean;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const comma = 0x2c;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Cuts what comes in at the ends of its records; a list for each chunk, of those that end in it. */
export async function* splitRecords(
  chunks: AsyncIterable<Buffer>,
  { maxBytes, quoted }: RecordForm,
): AsyncGenerator<readonly RecordBytes[]> {
  const scanner = quoted ? quotedScanner() : lineScanner;
  let parts: Buffer[] = [];
  let length = 0;
  let first = true;
  const take = (part: Buffer) => {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts = [];
  };
  const finish = (): RecordBytes => {
    const bytes = length > maxBytes ? undefined : trimmed(parts.length === 1 ? parts[0] : Buffer.concat(parts), first);
    parts = [];
    length = 0;
    first = false;
    return bytes;
  };
  for await (const chunk of chunks) {
    const records: RecordBytes[] = [];
    let start = 0;
    for (let end = scanner.next(chunk, start); end !== -1; end = scanner.next(chunk, start)) {
      take(chunk.subarray(start, end));
      records.push(finish());
      start = end + 1;
    }
    if (start < chunk.length) take(chunk.subarray(start));
    // a quote that is never closed must not swallow the rest
    if (length > maxBytes) scanner.reset();
    if (records.length > 0) yield records;
  }
  if (length > 0) yield [finish()];
}

/** Without the mark at the beginning of a text and the CR of a CR LF. */
function trimmed(bytes: Buffer = Buffer.alloc(0), first: boolean): Buffer {
  const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length;
  const start = first && bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? byteOrderMark.length : 0;
  return bytes.subarray(start, end);
}

interface Scanner {
  /** where the record ends whose bytes go on at `start`; -1: not in this chunk */
  next(chunk: Buffer, start: number): number;
  /** the record under way is given up: it ends at the next line end, whatever it is in */
  reset(): void;
}

const lineScanner: Scanner = { next: (chunk, start) => chunk.indexOf(lineFeed, start), reset: () => {} };

/** A quote begins a quoted cell only at the beginning of the cell: elsewhere it is a mistake of this one record. */
function quotedScanner(): Scanner {
  let state: 'cell-start' | 'plain' | 'quoted' | 'quote-in-quoted' = 'cell-start';
  const after = (byte: number | undefined): typeof state => {
    if (state === 'quoted') return byte === quote ? 'quote-in-quoted' : 'quoted';
    if (byte === quote && state !== 'plain') return 'quoted';
    return byte === comma || byte === lineFeed ? 'cell-start' : 'plain';
  };
  return {
    next: (chunk, start) => {
      for (let index = start; index < chunk.length; index += 1) {
        const byte = chunk[index];
        const ends = byte === lineFeed && state !== 'quoted';
        state = after(byte);
        if (ends) return index;
      }
      return -1;
    },
    reset: () => {
      state = 'plain';
    },
  };
}

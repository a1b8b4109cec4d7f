import type { z } from 'zod';
import { type CsvCell, readCsvRecord, unguarded } from '../../shared/csv.ts';
import { Failure, validationFailure } from '../../shared/failure.ts';
import { decodeUtf8, maxBodyBytes, parseBody } from '../../shared/http-body.ts';
import { violationsIn } from '../../shared/http-input.ts';
import type { BodyStream } from '../../shared/http-stream.ts';
import { type RecordBytes, splitRecords } from '../../shared/records.ts';
import { JsonRefused, parseStrictJson } from '../../shared/strict-json.ts';
import { createProductBody } from './product-schema.ts';
import { type CsvColumn, csv, csvColumns, type RefusedRow } from './product-transfer-schema.ts';

export type ProductInput = z.output<typeof createProductBody>;

/** A row of what is imported: a product, or why it is none. */
export type ProductRow = { readonly row: number; readonly product: ProductInput } | RefusedRow;

/**
 * Reads rows as they come in, in lists, with the rules of a product that is created alone. A row is at most as long as such a
 * body. The first record of CSV is read at once.
 * @throws validation for a header that does not fit; the rows throw malformed when the body ends early
 */
export async function openProductRows({ type, chunks }: BodyStream): Promise<AsyncGenerator<readonly ProductRow[]>> {
  if (type !== csv) return readRows(splitRecords(chunks, { maxBytes: maxBodyBytes, quoted: false }), parseBody);
  const records = splitRecords(chunks, { maxBytes: maxBodyBytes, quoted: true });
  const { value: [header, ...others] = [] } = await records.next();
  const columns = readHeader(header);
  return readRows(prepended(others, records), (bytes) => readCsvProduct(bytes, columns));
}

async function* prepended<T>(first: readonly T[], others: AsyncIterable<readonly T[]>): AsyncGenerator<readonly T[]> {
  yield first;
  yield* others;
}

async function* readRows(
  lists: AsyncIterable<readonly RecordBytes[]>,
  parse: (bytes: Buffer) => unknown,
): AsyncGenerator<readonly ProductRow[]> {
  let row = 0;
  for await (const records of lists) {
    const rows: ProductRow[] = [];
    for (const bytes of records) {
      row += 1;
      if (bytes === undefined || !isBlank(bytes)) rows.push(readRow(row, bytes, parse));
    }
    yield rows;
  }
}

/** Spaces, tabs and line ends only. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function readRow(row: number, bytes: RecordBytes, parse: (bytes: Buffer) => unknown): ProductRow {
  let sku: string | undefined;
  try {
    if (bytes === undefined) throw new Failure('too-large', { detail: `A row may have at most ${maxBodyBytes} bytes.` });
    const parsed = parse(bytes);
    sku = skuOf(parsed);
    const result = createProductBody.safeParse(parsed);
    if (!result.success) throw validationFailure(violationsIn(result.error));
    return { row, product: result.data };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, members, message } = error;
    // the only member that these failures have
    const { errors } = members as { errors?: RefusedRow['errors'] };
    return {
      kind: 'refused',
      row,
      ...(sku !== undefined && { sku }),
      problem: code,
      ...(errors === undefined ? { detail: message } : { errors }),
    };
  }
}

const longestSku = 64;

/** So that people find the row; what is no sku is not repeated at length. */
function skuOf(parsed: unknown): string | undefined {
  const sku = typeof parsed === 'object' && parsed !== null && 'sku' in parsed ? parsed.sku : undefined;
  return typeof sku === 'string' && sku.length <= longestSku ? sku : undefined;
}

const known: ReadonlySet<string> = new Set(csvColumns);
const needed = ['sku', 'name', 'priceAmount', 'priceCurrency'] as const;

function readHeader(bytes: RecordBytes): readonly CsvColumn[] {
  const cells = bytes === undefined ? undefined : readCsvRecord(decodeUtf8(bytes));
  const names = (cells ?? []).map(({ text }) => text.trim());
  const errors = [
    ...names.filter((name) => !known.has(name)).map((name) => ({ name, detail: 'is not a known column' })),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => ({ name, detail: 'is there twice' })),
    ...needed.filter((name) => !names.includes(name)).map((name) => ({ name, detail: 'is a column that is needed' })),
  ];
  if (errors.length > 0)
    throw validationFailure(errors.slice(0, 50).map(({ name, detail }) => ({ pointer: `/${name.slice(0, 100)}`, detail })));
  return names as CsvColumn[]; // all are known
}

/** The record in the form of a JSON body, so that the same schema decides. */
function readCsvProduct(bytes: Buffer, columns: readonly CsvColumn[]): unknown {
  const cells = readCsvRecord(decodeUtf8(bytes));
  if (cells === undefined) throw new Failure('malformed', { detail: 'A quote stands where none may.' });
  if (cells.length !== columns.length)
    throw new Failure('malformed', { detail: `The record has ${cells.length} cells and the header ${columns.length}.` });
  const values: Partial<Record<CsvColumn, CsvCell>> = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index];
    if (cell !== undefined && (cell.quoted || cell.text !== '')) values[column] = cell;
  }
  const { sku, name, priceAmount, priceCurrency, description, category, attributes, initialStock } = values;
  return {
    price: { amount: numberIn(priceAmount), currency: priceCurrency?.text },
    ...(sku && { sku: unguarded(sku.text) }),
    ...(name && { name: unguarded(name.text) }),
    ...(description && { description: unguarded(description.text) }),
    ...(category && { category: unguarded(category.text) }),
    ...(attributes && { attributes: jsonIn(attributes) }),
    ...(initialStock && { initialStock: numberIn(initialStock) }),
  };
}

/** What is no whole number stays a text, which the schema refuses. */
function numberIn(cell: CsvCell | undefined): number | string | undefined {
  return cell !== undefined && /^\d{1,15}$/.test(cell.text) ? Number(cell.text) : cell?.text;
}

function jsonIn({ text }: CsvCell): unknown {
  try {
    return parseStrictJson(text);
  } catch (cause) {
    if (!(cause instanceof JsonRefused)) throw cause;
    throw new Failure('malformed', { detail: `attributes: ${cause.message.replace('The body', 'The cell')}`, cause });
  }
}

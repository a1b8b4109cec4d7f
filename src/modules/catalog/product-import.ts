import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, isDuplicateKey, isStoreDown } from '../../shared/database.ts';
import { withDeadline } from '../../shared/deadline.ts';
import { Failure } from '../../shared/failure.ts';
import { type BatchResult, writeBatch } from './import-batch.ts';
import type { ProductInput, ProductRow } from './product-rows.ts';
import type { ImportTotals, ReportLine } from './product-transfer-schema.ts';

export interface ProductImport {
  readonly db: Database;
  /** milliseconds since 1970 */
  readonly now: () => number;
  /** told of each product that has or may have changed, before its row is reported as durable */
  readonly onChanged: (id: string, version: number) => void;
  /** the user who imports */
  readonly createdBy: string;
}

/** A batch is one transaction. */
const mostRows = 256;
/** What a batch holds should die young: five times as much makes the heap of a long import grow by 200 MiB. It also bounds the statements. */
const mostCharacters = 200_000;
const batchTimeoutMs = 5000;
const maxRetries = 5;
const firstPauseMs = 200;
const progressEveryMs = 1000;

interface Batch {
  readonly products: Map<string, ProductInput>;
  characters: number;
  lastRow: number;
}

/**
 * Writes the rows in batches, in their order, the next one being read while one is written, and reports on them as it goes: refused rows, how far
 * it has come, and at last the totals. Never throws: what stops it is told in the last line. All that is reported as durable
 * is, and importing a row again changes nothing, so whoever was cut off sends the rest, or everything.
 */
export async function* importProducts(
  rows: AsyncIterable<readonly ProductRow[]>,
  options: ProductImport,
): AsyncGenerator<readonly ReportLine[]> {
  const totals = { created: 0, updated: 0, unchanged: 0, refused: 0 };
  const writer = createWriter(options, totals);
  let batch = emptyBatch();
  let reportedAt = performance.now();
  let stopped: { readonly problem: string; readonly detail: string } | undefined;
  try {
    for await (const group of rows) {
      const lines: ReportLine[] = [];
      for (const row of group) {
        if ('kind' in row) {
          totals.refused += 1;
          lines.push(row);
          continue;
        }
        if (isFull(batch, row.product)) {
          await writer.write(batch);
          batch = emptyBatch();
        }
        add(batch, row);
      }
      if (performance.now() - reportedAt >= progressEveryMs) {
        reportedAt = performance.now();
        lines.push({ kind: 'progress', row: writer.durableRow(), ...totals });
      }
      // also when there is nothing to tell: whoever waits for it may have gone
      yield lines;
    }
    // only here has the whole body come in: a row that was cut off is no row
    await writer.write(batch);
    await writer.settle();
  } catch (error) {
    stopped = reasonOf(error);
  } finally {
    await writer.settle().catch(() => {});
  }
  yield [{ kind: 'end', complete: stopped === undefined, row: writer.durableRow(), ...totals, ...stopped }];
}

const emptyBatch = (): Batch => ({ products: new Map(), characters: 0, lastRow: 0 });

/** A sku comes once in a batch: the later row of one sku is for the next. */
function isFull({ products, characters }: Batch, { sku }: ProductInput): boolean {
  return products.size >= mostRows || characters >= mostCharacters || products.has(sku);
}

function add(batch: Batch, { row, product }: { readonly row: number; readonly product: ProductInput }): void {
  batch.products.set(product.sku, product);
  batch.characters += (product.description?.length ?? 0) + JSON.stringify(product.attributes).length;
  batch.lastRow = row;
}

/** Has at most one batch under way. */
function createWriter(options: ProductImport, totals: { -readonly [Name in keyof ImportTotals]: number }) {
  let underWay: Promise<void> = Promise.resolve();
  let durable = 0;

  const write = async ({ products, lastRow }: Batch): Promise<void> => {
    const { created, updated, unchanged } = await writeDurably([...products.values()], options);
    totals.created += created;
    totals.updated += updated.length;
    totals.unchanged += unchanged;
    durable = lastRow;
  };

  return {
    durableRow: () => durable,
    /** Waits for the batch before, then begins. @throws what became of that one */
    write: async (batch: Batch) => {
      await underWay;
      if (batch.products.size === 0) return;
      underWay = write(batch);
      // whoever waits for it next hears of it
      underWay.catch(() => {});
    },
    settle: () => underWay,
  };
}

/** A batch can be written again whatever became of it: what is there already is unchanged. */
async function writeDurably(products: readonly ProductInput[], options: ProductImport): Promise<BatchResult> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await withDeadline(batchTimeoutMs, () => writeOnce(products, options));
    } catch (error) {
      const passing = isDuplicateKey(error) || isStoreDown(error) || (error instanceof Failure && error.code === 'unavailable');
      if (!passing || retries === maxRetries) throw error;
    }
    await sleep(firstPauseMs * 2 ** retries * (0.5 + Math.random()));
  }
}

async function writeOnce(
  products: readonly ProductInput[],
  { db, now, onChanged, createdBy }: ProductImport,
): Promise<BatchResult> {
  let result: BatchResult | undefined;
  try {
    return await db.transaction(async (tx) => {
      result = await writeBatch(tx, { products, createdBy, at: now() });
      return result;
    });
  } finally {
    // also when nobody knows whether it is committed
    for (const { id, version } of result?.updated ?? []) onChanged(id, version);
  }
}

function reasonOf(error: unknown): { readonly problem: string; readonly detail: string } {
  if (error instanceof Failure) return { problem: error.code, detail: error.message };
  if (isStoreDown(error) || isDuplicateKey(error))
    return { problem: 'unavailable', detail: 'A store does not answer. Send the rest again.' };
  throw error;
}

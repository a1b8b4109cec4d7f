import { createHash } from 'node:crypto';
import { createBatcher, type Outcome } from '../../shared/batcher.ts';
import {
  type Database,
  forUpdate,
  idsParam,
  isCheckViolation,
  isDuplicateKey,
  rowsOfIds,
  type Sql,
} from '../../shared/database.ts';
import { Failure } from '../../shared/failure.ts';
import type { Catalog, Money, Reservation, ReservationItem, ReservedLine } from './catalog-api.ts';
import { insertLines, insertReservations, lookUpReservations, type ReservationRow, readLines } from './reservation-store.ts';
import { type Shelf, type ShelfProduct, takeFromShelf } from './reserve-decision.ts';
import { addChange, changeStock, type StockChange, StockGuardFailed } from './stock-changes.ts';

export const batchLimits = { maxItems: 64, maxWeight: 1000 };

interface ReserveRequest {
  readonly reservationId: string;
  readonly items: readonly ReservationItem[];
  readonly expectedTotal?: Money | undefined;
  readonly digest: string;
}

/** Makes `reserve` of the contract. Calls that come while a transaction is under way share the next one (docs/decisions/0007). */
export function createReserve(db: Database): Catalog['reserve'] {
  const enqueue = createBatcher<ReserveRequest, Reservation>({
    limits: batchLimits,
    weigh: ({ items }) => items.length,
    run: (requests) => db.transaction((tx) => reserveTogether(tx, requests)),
    mayRunAlone,
    // a copy in another process may hold the id of an item that runs alone as well
    triesAlone: 3,
  });
  return (reservationId, items, { expectedTotal } = {}) => {
    checkItems(items);
    return enqueue({ reservationId, items, expectedTotal, digest: digestOf(items, expectedTotal) });
  };
}

/** What one item of a batch can cause all by itself; the others are run again without it. */
export function mayRunAlone(error: unknown): boolean {
  return isDuplicateKey(error) || isCheckViolation(error) || error instanceof StockGuardFailed;
}

/** One transaction: locks what it decides about, decides the requests one after the other, writes what came of them. */
async function reserveTogether(tx: Sql, requests: readonly ReserveRequest[]): Promise<readonly Outcome<Reservation>[]> {
  const existing = await lookUpReservations(tx, sortedUnique(requests.map(({ reservationId }) => reservationId)), {
    lock: false,
  });
  const lines = await readLines(tx, [...existing.keys()]);
  const shelf = await lockShelf(
    tx,
    sortedUnique(
      requests.flatMap(({ reservationId, items }) =>
        existing.has(reservationId) ? [] : items.map(({ productId }) => productId),
      ),
    ),
  );
  const made: Made[] = [];
  const outcomes = requests.map((request): Outcome<Reservation> => {
    const earlier = existing.get(request.reservationId);
    if (earlier !== undefined) return { value: answerAgain(request, earlier, lines.get(request.reservationId)) };
    try {
      const taken = takeFromShelf(request, shelf);
      const row: ReservationRow = { id: request.reservationId, state: 'held', digest: request.digest, lineCount: taken.length };
      made.push({ row, lines: taken });
      existing.set(row.id, row);
      lines.set(row.id, new Map(taken.map((line) => [line.productId, line])));
      return { value: { outcome: 'reserved', lines: taken } };
    } catch (error) {
      if (error instanceof Failure) return { error };
      throw error;
    }
  });
  await write(tx, made);
  return outcomes;
}

interface Made {
  readonly row: ReservationRow;
  readonly lines: readonly ReservedLine[];
}

/** The first answer again; nothing for a reservation that was released before it was made. */
function answerAgain(
  { items, digest }: ReserveRequest,
  earlier: ReservationRow,
  lines: ReadonlyMap<string, ReservedLine> | undefined,
): Reservation {
  if (earlier.digest === null) return { outcome: 'known', lines: [] };
  if (earlier.digest !== digest) return { outcome: 'mismatch', lines: [] };
  return { outcome: 'known', lines: items.flatMap(({ productId }) => lines?.get(productId) ?? []) };
}

/**
 * Locks the stock of the products in the order of their ids, so that two batches never wait for each other in a circle, and
 * reads the products after that: prices are those of the moment at which the pieces are taken.
 */
async function lockShelf(tx: Sql, productIds: readonly string[]): Promise<Shelf> {
  if (productIds.length === 0) return { products: new Map(), available: new Map() };
  const ids = idsParam(productIds);
  const stock = await tx.rows<{ product_id: string; on_hand: number; reserved: number }>(
    `SELECT product_id, on_hand, reserved FROM ${rowsOfIds(tx, 'catalog_stock', 'product_id')}${forUpdate(tx)}`,
    [ids],
  );
  const products = await tx.rows<{ id: string; sku: string; name: string; price_amount: number; price_currency: string }>(
    `SELECT id, sku, name, price_amount, price_currency FROM ${rowsOfIds(tx, 'catalog_products', 'id')} WHERE deleted_at IS NULL`,
    [ids],
  );
  return {
    products: new Map(
      products.map((row): [string, ShelfProduct] => [
        row.id,
        { sku: row.sku, name: row.name, price: { amount: row.price_amount, currency: row.price_currency } },
      ]),
    ),
    available: new Map(stock.map((row) => [row.product_id, row.on_hand - row.reserved])),
  };
}

async function write(tx: Sql, made: readonly Made[]): Promise<void> {
  if (made.length === 0) return;
  const changes = new Map<string, StockChange>();
  for (const { lines } of made)
    for (const { productId, quantity } of lines) addChange(changes, productId, { onHand: 0, reserved: quantity });
  await changeStock(tx, changes);
  await insertReservations(
    tx,
    made.map(({ row }) => row),
  );
  await insertLines(
    tx,
    made.flatMap(({ row, lines }) => lines.map((line) => ({ reservationId: row.id, line }))),
  );
}

/** Stands for the items, in whatever order they come, and for what they may cost. */
function digestOf(items: readonly ReservationItem[], expectedTotal: Money | undefined): string {
  const sorted = items
    .map(({ productId, quantity }) => [productId, quantity] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const total = expectedTotal === undefined ? [] : [expectedTotal.amount, expectedTotal.currency];
  return createHash('sha256')
    .update(JSON.stringify([sorted, ...total]))
    .digest('base64url');
}

/** The caller's part of the contract: a negative quantity would free what others hold. */
function checkItems(items: readonly ReservationItem[]): void {
  if (new Set(items.map(({ productId }) => productId)).size !== items.length)
    throw new RangeError('The items of a reservation name a product twice.');
  if (!items.every(({ quantity }) => Number.isSafeInteger(quantity) && quantity > 0))
    throw new RangeError('A quantity has to be a positive whole number.');
}

function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

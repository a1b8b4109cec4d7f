import { type Database, isDuplicateKey, type Sql } from '../../shared/database.ts';
import { assertIfMatch, parseIfMatch, versionMismatch } from '../../shared/entity-tag.ts';
import { Failure, validationFailure } from '../../shared/failure.ts';
import { derivedId, newId } from '../../shared/identifier.ts';
import { fromSql, toSql } from '../../shared/instant.ts';
import type { StockLevel } from './product.ts';
import { maxPieces } from './product-schema.ts';
import { productNotFound } from './product-store.ts';
import { insertMovement, readMovement, type StockMovement } from './stock-movements.ts';

export interface Stock extends StockLevel {
  readonly productId: string;
  /** changes with every change of the stock, sales included */
  readonly version: number;
}

export function stockLevel(onHand: number, reserved: number): StockLevel {
  return { onHand, reserved, available: onHand - reserved };
}

/** The stock of a product. @throws not-found, also for a deleted product */
export async function readStock(sql: Sql, productId: string): Promise<Stock> {
  const [row] = await sql.rows<{ on_hand: number; reserved: number; version: number }>(
    `SELECT s.on_hand, s.reserved, s.version FROM catalog_stock s JOIN catalog_products p ON p.id = s.product_id
      WHERE s.product_id = ? AND p.deleted_at IS NULL`,
    [productId],
  );
  if (row === undefined) throw productNotFound();
  return { productId, ...stockLevel(row.on_hand, row.reserved), version: row.version };
}

export interface AdjustmentRequest {
  readonly productId: string;
  readonly delta: number;
  readonly reason: string;
  readonly userId: string;
  readonly idempotencyKey: string | undefined;
}

/**
 * Adds to the stock or takes from it. With a key the id of the movement follows from user, product and key, so that the
 * ledger's primary key decides which of several equal requests is the first.
 * @throws not-found, out-of-stock below what is reserved, validation above the limit, idempotency-key-reused for another body
 */
export async function adjustStock(
  { db, now }: { readonly db: Database; readonly now: () => number },
  { productId, delta, reason, userId, idempotencyKey }: AdjustmentRequest,
): Promise<{ readonly movement: StockMovement; readonly replayed: boolean }> {
  const at = now();
  const id = idempotencyKey === undefined ? newId(at) : derivedId('adjustment', userId, productId, idempotencyKey);
  const movement: StockMovement = {
    id,
    productId,
    kind: 'adjustment',
    delta,
    reason,
    createdBy: userId,
    createdAt: fromSql(toSql(new Date(at))),
  };
  try {
    await db.transaction(async (tx) => {
      await readStock(tx, productId);
      await insertMovement(tx, movement);
      const matched = await tx.run(
        `UPDATE catalog_stock SET on_hand = on_hand + ?, version = version + 1
          WHERE product_id = ? AND on_hand + ? >= reserved AND on_hand + ? <= ?`,
        [delta, productId, delta, delta, maxPieces],
      );
      if (matched !== 1) throw refusal(await readStock(tx, productId), delta);
    });
    return { movement, replayed: false };
  } catch (error) {
    // a product that is gone by now may have been adjusted before
    const mayBeRepeat = isDuplicateKey(error) || (error instanceof Failure && error.code === 'not-found');
    const found = mayBeRepeat ? await readMovement(db, id) : undefined;
    if (found === undefined) throw error;
    return { movement: asWanted(found, movement), replayed: true };
  }
}

function asWanted(found: StockMovement, wanted: StockMovement): StockMovement {
  if (found.delta !== wanted.delta || found.reason !== wanted.reason) throw new Failure('idempotency-key-reused');
  return found;
}

function refusal({ productId, onHand, available }: Stock, delta: number): Failure {
  if (onHand + delta > maxPieces) {
    return validationFailure([{ pointer: '/delta', detail: `would make more than ${maxPieces} pieces` }]);
  }
  return new Failure('out-of-stock', {
    detail: 'The rest is reserved by orders.',
    members: { items: [{ productId, requested: -delta, available }] },
  });
}

export interface SetStockRequest {
  readonly productId: string;
  readonly onHand: number;
  readonly ifMatch: string | undefined;
  readonly userId: string;
}

/**
 * Sets what was counted. The stock becomes a new version even when the count agrees.
 * @throws not-found, precondition-required, malformed, version-mismatch (`currentVersion`), out-of-stock below what is reserved
 */
export async function setStock(
  { db, now }: { readonly db: Database; readonly now: () => number },
  { productId, onHand, ifMatch, userId }: SetStockRequest,
): Promise<Stock> {
  parseIfMatch(ifMatch);
  const current = await readStock(db, productId);
  assertIfMatch(ifMatch, current.version);
  const delta = onHand - current.onHand;
  const at = now();
  await db.transaction(async (tx) => {
    const matched = await tx.run(
      'UPDATE catalog_stock SET on_hand = ?, version = version + 1 WHERE product_id = ? AND version = ? AND reserved <= ?',
      [onHand, productId, current.version, onHand],
    );
    if (matched !== 1) {
      const present = await readStock(tx, productId);
      throw present.version === current.version ? refusal(present, delta) : versionMismatch(present.version);
    }
    if (delta === 0) return;
    await insertMovement(tx, {
      id: newId(at),
      productId,
      kind: 'set',
      delta,
      createdBy: userId,
      createdAt: fromSql(toSql(new Date(at))),
    });
  });
  return { productId, ...stockLevel(onHand, current.reserved), version: current.version + 1 };
}

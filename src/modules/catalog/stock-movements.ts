import { z } from 'zod';
import { type Param, placeholders, type Sql } from '../../shared/database.ts';
import { idParameter } from '../../shared/identifier.ts';
import { fromSql, toSql } from '../../shared/instant.ts';
import { decodeCursor, encodeCursor, type Page } from '../../shared/page.ts';
import { keysetSql } from './keyset.ts';
import type { movementKinds } from './product-schema.ts';

/** One entry of the ledger: the stock of a product is always the sum of its movements. */
export interface StockMovement {
  readonly id: string;
  readonly productId: string;
  readonly kind: (typeof movementKinds)[number];
  readonly delta: number;
  readonly reason?: string;
  readonly reservationId?: string;
  readonly createdBy?: string;
  /** RFC 3339 UTC */
  readonly createdAt: string;
}

const columns = 'id, product_id, kind, delta, reason, reservation_id, created_by, created_at';
const columnCount = 8;
const rowsPerStatement = 3000;

export async function insertMovement(tx: Sql, movement: StockMovement): Promise<void> {
  await insertMovements(tx, [movement]);
}

/** Belongs in the transaction that changes the stock. @throws a duplicate key for an id that the ledger has */
export async function insertMovements(tx: Sql, movements: readonly StockMovement[]): Promise<void> {
  for (let start = 0; start < movements.length; start += rowsPerStatement) {
    const some = movements.slice(start, start + rowsPerStatement);
    await tx.run(
      `INSERT INTO catalog_stock_movements (${columns}) VALUES ${placeholders(some.length, columnCount)}`,
      some.flatMap(paramsOf),
    );
  }
}

function paramsOf({ id, productId, kind, delta, reason, reservationId, createdBy, createdAt }: StockMovement): Param[] {
  return [id, productId, kind, delta, reason ?? null, reservationId ?? null, createdBy ?? null, toSql(new Date(createdAt))];
}

interface MovementRow {
  readonly id: string;
  readonly product_id: string;
  readonly kind: StockMovement['kind'];
  readonly delta: number;
  readonly reason: string | null;
  readonly reservation_id: string | null;
  readonly created_by: string | null;
  readonly created_at: string;
}

export async function readMovement(sql: Sql, id: string): Promise<StockMovement | undefined> {
  const [row] = await sql.rows<MovementRow>(`SELECT ${columns} FROM catalog_stock_movements WHERE id = ?`, [id]);
  return row === undefined ? undefined : movementOf(row);
}

const cursorKey = z.tuple([z.iso.datetime(), idParameter]);

/** A page of the ledger of one product, newest first. @throws malformed for a cursor of another list */
export async function listMovements(
  sql: Sql,
  { productId, limit, cursor }: { productId: string; limit: number; cursor: string | undefined },
): Promise<Page<StockMovement>> {
  const [time, id] = decodeCursor(cursor, cursorKey) ?? [];
  const after = time === undefined || id === undefined ? undefined : { key: toSql(new Date(time)), id };
  const { hint, where, params, orderBy } = keysetSql(sql, {
    column: 'created_at',
    index: 'catalog_stock_movements_ledger',
    descending: true,
    after,
  });
  const rows = await sql.rows<MovementRow>(
    `SELECT ${columns} FROM catalog_stock_movements${hint} WHERE product_id = ?${where} ORDER BY ${orderBy} LIMIT ?`,
    [productId, ...params, limit + 1],
  );
  const data = rows.slice(0, limit).map(movementOf);
  const last = data.at(-1);
  return { data, ...(rows.length > limit && last !== undefined && { nextCursor: encodeCursor([last.createdAt, last.id]) }) };
}

function movementOf(row: MovementRow): StockMovement {
  return {
    id: row.id,
    productId: row.product_id,
    kind: row.kind,
    delta: row.delta,
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.reservation_id !== null && { reservationId: row.reservation_id }),
    ...(row.created_by !== null && { createdBy: row.created_by }),
    createdAt: fromSql(row.created_at),
  };
}

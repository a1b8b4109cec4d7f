import { byIndex, type Database, forUpdate, idsParam, type Param, rowsOfIds, type Sql } from '../../shared/database.ts';
import { Failure } from '../../shared/failure.ts';
import { firstIdAt } from '../../shared/identifier.ts';
import { fromSql, toSql } from '../../shared/instant.ts';

import type { Actor, Order, OrderEvent, OrderLine, OrderStatus } from './orders-api.ts';

export interface OrderRow {
  readonly id: string;
  readonly user_id: string;
  readonly reservation_id: string;
  readonly status: OrderStatus;
  readonly currency: string;
  readonly total: number;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

interface LineRow {
  readonly order_id: string;
  readonly line_number: number;
  readonly product_id: string;
  readonly sku: string;
  readonly name: string;
  readonly unit_price: number;
  readonly quantity: number;
}

interface HistoryRow {
  readonly sequence: number;
  readonly status: OrderStatus;
  readonly actor: Actor;
  readonly carrier: string | null;
  readonly tracking_number: string | null;
  readonly created_at: string;
}

const orderColumns = 'id, user_id, reservation_id, status, currency, total, version, created_at, updated_at';

/** The rows of these orders, for a decision: locked in the order of the ids when the transaction can lock. */
export async function readOrderRows(sql: Sql, ids: readonly string[], { lock = false } = {}): Promise<readonly OrderRow[]> {
  return sql.rows<OrderRow>(`SELECT ${orderColumns} FROM ${rowsOfIds(sql, 'orders_orders', 'id')}${lock ? forUpdate(sql) : ''}`, [
    idsParam(ids),
  ]);
}

/** @throws not-found, also for somebody else's order when `userId` is given: the answers are the same */
export async function readOrder(
  db: Database,
  { orderId, userId }: { orderId: string; userId?: string | undefined },
): Promise<Order> {
  const [row] = await readOrderRows(db, [orderId]);
  if (row === undefined || (userId !== undefined && row.user_id !== userId)) throw noSuchOrder();
  const [order] = await withLines(db, [row]);
  if (order === undefined) throw noSuchOrder();
  return order;
}

/** The order as it was when it was placed, whatever became of it since. */
export async function readPlacedOrder(db: Database, orderId: string): Promise<Order> {
  const order = await readOrder(db, { orderId });
  return { ...order, status: 'placed', version: 1, updatedAt: order.createdAt };
}

export interface OrderFilter {
  readonly userId?: string | undefined;
  readonly status?: OrderStatus | undefined;
  readonly from?: string | undefined;
  readonly before?: string | undefined;
  /** only orders with a smaller id: ids are time-ordered, so the newest come first */
  readonly belowId?: string | undefined;
}

/** Newest first, at most `limit`. */
export async function findOrders(
  db: Database,
  { userId, status, from, before, belowId }: OrderFilter,
  limit: number,
): Promise<readonly Order[]> {
  const conditions: string[] = [];
  const params: Param[] = [];
  const add = (condition: string, value: Param | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    params.push(value);
  };
  add('user_id = ?', userId);
  add('status = ?', status);
  add('created_at >= ?', from && toSql(new Date(from)));
  add('created_at < ?', before && toSql(new Date(before)));
  add('id >= ?', from && firstIdAt(from));
  add('id < ?', before && firstIdAt(before));
  add('id < ?', belowId);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const index = byIndex(db, indexOf({ userId, status }));
  const rows = await db.rows<OrderRow>(
    `SELECT ${orderColumns} FROM orders_orders${index} ${where} ORDER BY id DESC LIMIT ${limit}`,
    params,
  );
  return withLines(db, rows);
}

/** All end in the id, so a page is one stretch of it. Without such a filter it is one of the table itself. */
function indexOf({ userId, status }: Pick<OrderFilter, 'userId' | 'status'>): string | undefined {
  if (userId === undefined) return status && 'orders_orders_status';
  return status === undefined ? 'orders_orders_user' : 'orders_orders_user_status';
}

/** @throws not-found as `readOrder` */
export async function readTimeline(
  db: Database,
  query: { orderId: string; userId?: string | undefined },
): Promise<readonly OrderEvent[]> {
  const [row] = await readOrderRows(db, [query.orderId]);
  if (row === undefined || (query.userId !== undefined && row.user_id !== query.userId)) throw noSuchOrder();
  const entries = await db.rows<HistoryRow>(
    'SELECT sequence, status, actor, carrier, tracking_number, created_at FROM orders_history WHERE order_id = ? ORDER BY sequence',
    [query.orderId],
  );
  return entries.map((entry) => ({
    sequence: entry.sequence,
    type: `order.${entry.status}`,
    status: entry.status,
    at: fromSql(entry.created_at),
    by: entry.actor,
    ...(entry.carrier !== null && { carrier: entry.carrier }),
    ...(entry.tracking_number !== null && { trackingNumber: entry.tracking_number }),
  }));
}

export function noSuchOrder(): Failure {
  return new Failure('not-found', { detail: 'There is no such order.' });
}

async function withLines(db: Database, rows: readonly OrderRow[]): Promise<readonly Order[]> {
  if (rows.length === 0) return [];
  const lines = await db.rows<LineRow>(
    `SELECT order_id, line_number, product_id, sku, name, unit_price, quantity FROM ${rowsOfIds(db, 'orders_lines', 'order_id')}`,
    [idsParam(rows.map((row) => row.id))],
  );
  const byOrder = Map.groupBy(lines.toSorted(byNumber), (line) => line.order_id);
  return rows.map((row) => ({
    id: row.id,
    userId: row.user_id,
    status: row.status,
    items: (byOrder.get(row.id) ?? []).map((line) => toLine(line, row.currency)),
    total: { amount: row.total, currency: row.currency },
    version: row.version,
    createdAt: fromSql(row.created_at),
    updatedAt: fromSql(row.updated_at),
  }));
}

function byNumber(one: LineRow, other: LineRow): number {
  return one.line_number - other.line_number;
}

function toLine(line: LineRow, currency: string): OrderLine {
  return {
    productId: line.product_id,
    sku: line.sku,
    name: line.name,
    unitPrice: { amount: line.unit_price, currency },
    quantity: line.quantity,
    lineTotal: { amount: line.unit_price * line.quantity, currency },
  };
}

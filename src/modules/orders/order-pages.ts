import { type Database, placeholders, type Sql } from '../../shared/database.ts';
import { type IdRange, lastId, readRange, within } from '../../shared/id-range.ts';
import type { OrderStatus } from './orders-api.ts';

export interface AuditedLine {
  readonly order_id: string;
  readonly line_number: number;
  readonly product_id: string;
  readonly sku: string;
  readonly name: string;
  readonly unit_price: number;
  readonly quantity: number;
}

export interface AuditedEntry {
  readonly order_id: string;
  readonly sequence: number;
  readonly status: OrderStatus;
  readonly created_at: string;
}

export interface AuditedEvent {
  readonly id: string;
  readonly order_id: string;
  readonly sequence: number;
  readonly type: string;
  readonly created_at: string;
  readonly leased_until: string;
  readonly published_at: string | null;
  readonly dead_at: string | null;
}

export interface AuditedClaim {
  readonly reservation_id: string;
  readonly kind: 'order' | 'void';
  readonly order_id: string | null;
  readonly user_id: string | null;
  readonly fingerprint: string | null;
}

interface OrderRow {
  readonly id: string;
  readonly user_id: string;
  readonly reservation_id: string;
  readonly status: OrderStatus;
  readonly currency: string;
  readonly total: number;
  readonly pieces: number;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly cancelled_at: string | null;
}

/** An order with everything that its transactions wrote. */
export interface AuditedOrder extends OrderRow {
  readonly lines: readonly AuditedLine[];
  readonly history: readonly AuditedEntry[];
  readonly events: readonly AuditedEvent[];
  readonly claim: AuditedClaim | undefined;
}

export interface OrderPage {
  readonly orders: readonly AuditedOrder[];
  readonly upTo: string;
  /** what names an order of this range that does not exist, by the order's id */
  readonly orphans: readonly { readonly invariant: string; readonly orderId: string; readonly what: string }[];
}

const pageSize = 500;
/** a page is cut where the rows of a table become more */
const maxRows = 5000;
const columns = 'id, user_id, reservation_id, status, currency, total, pieces, version, created_at, updated_at, cancelled_at';

/**
 * All orders in pages, each in one snapshot. Every table is read by the same range of order ids, so rows whose order does not
 * exist are seen as well. `between` is called after each page.
 */
export async function* orderPages(db: Database, between: () => Promise<void>): AsyncGenerator<OrderPage> {
  for (let after = ''; after < lastId; ) {
    const page = await db.transaction((tx) => readPage(tx, { after, upTo: lastId }), { readOnly: true });
    yield page;
    after = page.upTo;
    await between();
  }
}

const ofOrder = ({ order_id }: { order_id: string }) => order_id;

async function readPage(tx: Sql, whole: IdRange): Promise<OrderPage> {
  const found = await readRange<OrderRow>(tx, {
    ...{ select: `SELECT ${columns} FROM orders_orders`, key: 'id', keyOf: ({ id }) => id, range: whole, max: pageSize },
  });
  const parts = <R extends { order_id: string }>(select: string, orderBy: string, range: IdRange) =>
    readRange<R>(tx, { select, key: 'order_id', orderBy, keyOf: ofOrder, range, max: maxRows });
  const lines = await parts<AuditedLine>(
    'SELECT order_id, line_number, product_id, sku, name, unit_price, quantity FROM orders_lines',
    'line_number',
    found.range,
  );
  const entries = 'SELECT order_id, sequence, status, created_at FROM orders_history';
  const history = await parts<AuditedEntry>(entries, 'sequence', lines.range);
  const events = await parts<AuditedEvent>(
    'SELECT id, order_id, sequence, type, created_at, leased_until, published_at, dead_at FROM orders_outbox',
    'sequence',
    history.range,
  );
  const { range } = events;
  const orders = within(found.rows, ({ id }) => id, range);
  const claims = await readClaims(
    tx,
    orders.map((order) => order.reservation_id),
  );
  const byOrder = {
    lines: Map.groupBy(within(lines.rows, ofOrder, range), ofOrder),
    history: Map.groupBy(within(history.rows, ofOrder, range), ofOrder),
    events: Map.groupBy(events.rows, ofOrder),
  };
  const known = new Set(orders.map(({ id }) => id));
  const orphansIn = (rows: ReadonlyMap<string, unknown>, invariant: string, what: string) =>
    [...rows.keys()].filter((orderId) => !known.has(orderId)).map((orderId) => ({ invariant, orderId, what }));
  return {
    orders: orders.map((order) => ({
      ...order,
      lines: byOrder.lines.get(order.id) ?? [],
      history: byOrder.history.get(order.id) ?? [],
      events: byOrder.events.get(order.id) ?? [],
      claim: claims.get(order.reservation_id),
    })),
    upTo: range.upTo,
    orphans: [
      ...orphansIn(byOrder.lines, 'I-12', 'lines'),
      ...orphansIn(byOrder.history, 'I-12', 'history'),
      ...orphansIn(byOrder.events, 'I-09', 'events'),
    ],
  };
}

async function readClaims(tx: Sql, reservationIds: readonly string[]): Promise<ReadonlyMap<string, AuditedClaim>> {
  if (reservationIds.length === 0) return new Map();
  const rows = await tx.rows<AuditedClaim>(
    `SELECT reservation_id, kind, order_id, user_id, fingerprint FROM orders_claims
     WHERE reservation_id IN ${placeholders(1, reservationIds.length)}`,
    reservationIds,
  );
  return new Map(rows.map((row) => [row.reservation_id, row]));
}

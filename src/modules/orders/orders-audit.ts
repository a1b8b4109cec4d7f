import { type Database, placeholders, type Sql } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import { decideTransition } from './order.ts';
import { countOrders, type DayTotals, keptTotals, mergeByCurrency, nextDay } from './order-summary.ts';
import type { OrderStatus } from './orders-api.ts';

/** Read-only checks over everything that the module keeps (docs/operating.md lists the invariants by number). */

const pageSize = 500;
/** younger rows may still be on their way from one module to the other */
const settledAfterMs = 60_000;
/** published events are purged after seven days; older history has none to compare with */
const eventsKeptMs = 6 * 86_400_000;

interface OrderRow {
  readonly id: string;
  readonly reservation_id: string;
  readonly status: OrderStatus;
  readonly total: number;
  readonly pieces: number;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

interface HistoryRow {
  readonly order_id: string;
  readonly sequence: number;
  readonly status: OrderStatus;
  readonly created_at: string;
}

interface Page {
  readonly orders: readonly OrderRow[];
  readonly sums: ReadonlyMap<string, { readonly amount: number; readonly pieces: number }>;
  readonly history: ReadonlyMap<string, readonly HistoryRow[]>;
  readonly events: ReadonlySet<string>;
  readonly claims: ReadonlyMap<string, { readonly kind: string; readonly order_id: string | null }>;
}

/** Checks I-03, I-04, I-09, I-10 and I-12 over all orders. Yields what is broken; reads in pages, each in one snapshot. */
export async function* auditOrders(db: Database, now: number = Date.now()): AsyncGenerator<Finding> {
  for (let after = ''; ; ) {
    const page: Page = await db.transaction((tx) => readPage(tx, after), { readOnly: true });
    for (const order of page.orders) yield* checkOrder(order, page, now);
    const last = page.orders.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  yield* orphans(db);
  yield* overdueEvents(db, now);
  yield* closedDays(db);
}

async function readPage(tx: Sql, after: string): Promise<Page> {
  const orders = await tx.rows<OrderRow>(
    `SELECT id, reservation_id, status, total, pieces, version, created_at, updated_at FROM orders_orders WHERE id > ? ORDER BY id LIMIT ${pageSize}`,
    [after],
  );
  if (orders.length === 0) return { orders, sums: new Map(), history: new Map(), events: new Set(), claims: new Map() };
  const these = placeholders(1, orders.length);
  const ids = orders.map((order) => order.id);
  const sums = await tx.rows<{ order_id: string; amount: string; pieces: string }>(
    `SELECT order_id, CAST(SUM(unit_price * quantity) AS CHAR(40)) AS amount, CAST(SUM(quantity) AS CHAR(40)) AS pieces
     FROM orders_lines WHERE order_id IN ${these} GROUP BY order_id`,
    ids,
  );
  const history = await tx.rows<HistoryRow>(
    `SELECT order_id, sequence, status, created_at FROM orders_history WHERE order_id IN ${these} ORDER BY order_id, sequence`,
    ids,
  );
  const events = await tx.rows<{ order_id: string; sequence: number; type: string }>(
    `SELECT order_id, sequence, type FROM orders_outbox WHERE order_id IN ${these}`,
    ids,
  );
  const claims = await tx.rows<{ reservation_id: string; kind: string; order_id: string | null }>(
    `SELECT reservation_id, kind, order_id FROM orders_claims WHERE reservation_id IN ${these}`,
    orders.map((order) => order.reservation_id),
  );
  return {
    orders,
    sums: new Map(sums.map((row) => [row.order_id, { amount: Number(row.amount), pieces: Number(row.pieces) }])),
    history: Map.groupBy(history, (row) => row.order_id),
    events: new Set(events.map((row) => eventKey(row.order_id, row.sequence, row.type))),
    claims: new Map(claims.map((row) => [row.reservation_id, row])),
  };
}

function* checkOrder(order: OrderRow, page: Page, now: number): Generator<Finding> {
  const subject = `order ${order.id}`;
  const sums = page.sums.get(order.id);
  if (sums === undefined) yield { invariant: 'I-12', subject, detail: 'has no lines' };
  else if (sums.amount !== order.total || sums.pieces !== order.pieces) {
    yield {
      invariant: 'I-12',
      subject,
      detail: `says total ${order.total} and ${order.pieces} pieces, its lines ${sums.amount} and ${sums.pieces}`,
    };
  }
  const claim = page.claims.get(order.reservation_id);
  if (claim?.kind !== 'order' || claim.order_id !== order.id) {
    yield { invariant: 'I-04', subject, detail: `does not own the claim of reservation ${order.reservation_id}` };
  }
  yield* checkHistory(order, page.history.get(order.id) ?? []);
  for (const entry of page.history.get(order.id) ?? []) {
    const young = Date.parse(`${entry.created_at.replace(' ', 'T')}Z`) > now - eventsKeptMs;
    if (young && !page.events.has(eventKey(order.id, entry.sequence, `order.${entry.status}`))) {
      yield { invariant: 'I-09', subject, detail: `transition ${entry.sequence} to ${entry.status} has no event` };
    }
  }
}

function* checkHistory(order: OrderRow, history: readonly HistoryRow[]): Generator<Finding> {
  const subject = `order ${order.id}`;
  const broken = (detail: string) => ({ invariant: 'I-03', subject, detail });
  if (history.length !== order.version) yield broken(`is at version ${order.version} with ${history.length} history entries`);
  if (history[0]?.status !== 'placed') yield broken('does not begin as placed');
  for (const [index, entry] of history.entries()) {
    if (entry.sequence !== index + 1) yield broken(`has a gap before history entry ${entry.sequence}`);
    const before = history[index - 1];
    if (before !== undefined && decideTransition(before.status, entry.status) !== 'go')
      yield broken(`went from ${before.status} to ${entry.status}`);
  }
  if (history.at(-1)?.status !== order.status)
    yield broken(`is ${order.status}, its last history entry says ${history.at(-1)?.status}`);
}

/** Parts of a transaction that stand alone. */
async function* orphans(db: Database): AsyncGenerator<Finding> {
  const tables = [
    ['I-12', 'orders_lines', 'order_id', 'order lines'],
    ['I-12', 'orders_history', 'order_id', 'history'],
    ['I-09', 'orders_outbox', 'order_id', 'an event'],
    ['I-12', 'orders_claims', 'order_id', 'a claim'],
  ] as const;
  for (const [invariant, table, column, what] of tables) {
    const rows = await db.rows<{ id: string }>(
      `SELECT DISTINCT t.${column} AS id FROM ${table} t LEFT JOIN orders_orders o ON o.id = t.${column} WHERE o.id IS NULL AND t.${column} IS NOT NULL LIMIT 100`,
    );
    for (const { id } of rows) yield { invariant, subject: `order ${id}`, detail: `does not exist, but ${what} of it does` };
  }
  const events = await db.rows<{ id: string; order_id: string; sequence: number }>(
    `SELECT e.id, e.order_id, e.sequence FROM orders_outbox e
     LEFT JOIN orders_history h ON h.order_id = e.order_id AND h.sequence = e.sequence AND e.type = CONCAT('order.', h.status)
     WHERE h.order_id IS NULL LIMIT 100`,
  );
  for (const event of events)
    yield {
      invariant: 'I-09',
      subject: `event ${event.id}`,
      detail: `order ${event.order_id} has no transition ${event.sequence} like it`,
    };
}

async function* overdueEvents(db: Database, now: number): AsyncGenerator<Finding> {
  const rows = await db.rows<{ id: string; order_id: string; dead_at: string | null; created_at: string }>(
    'SELECT id, order_id, dead_at, created_at FROM orders_outbox WHERE published_at IS NULL ORDER BY id LIMIT 100',
  );
  for (const row of rows) {
    const age = now - Date.parse(`${row.created_at.replace(' ', 'T')}Z`);
    if (row.dead_at !== null)
      yield { invariant: 'I-10', subject: `event ${row.id}`, detail: `of order ${row.order_id} is a dead letter` };
    else if (age > settledAfterMs)
      yield {
        invariant: 'I-10',
        subject: `event ${row.id}`,
        detail: `of order ${row.order_id} was not delivered for ${Math.round(age / 1000)} s`,
      };
  }
}

async function* closedDays(db: Database): AsyncGenerator<Finding> {
  const days = await db.rows<{ day: string }>('SELECT day FROM orders_closed_days ORDER BY day');
  for (const { day } of days) {
    const kept = await keptTotals(db, { from: day, to: day });
    const counted = await countOrders(db, day, nextDay(day));
    if (inWords(kept) !== inWords(counted))
      yield { invariant: 'I-12', subject: `day ${day}`, detail: 'its kept totals are not those of its orders' };
  }
}

function inWords(totals: readonly DayTotals[]): string {
  return mergeByCurrency(totals)
    .map((facts) => Object.values(facts).join(' '))
    .join(', ');
}

function eventKey(orderId: string, sequence: number, type: string): string {
  return `${orderId} ${sequence} ${type}`;
}

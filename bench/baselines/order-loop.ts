import { json } from 'node:stream/consumers';

/** What the hand-written loops are given, as JSON on their standard input, and what they answer on their output. */
export interface OrderLoop {
  /** of MariaDB, or the file of SQLite */
  readonly database: string;
  readonly productIds: readonly string[];
  readonly clients: number;
  readonly seconds: number;
  readonly hotProductId?: string;
}

export interface OrderLoopResult {
  readonly orders: number;
  readonly seconds: number;
}

const linesPerOrder = 3;

export async function readLoop(): Promise<OrderLoop> {
  return (await json(process.stdin)) as OrderLoop; // what order-rows.ts writes
}

/** So many clients, each placing one order after the other until the time is over. */
export async function runLoop({ clients, seconds }: OrderLoop, placeOne: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  let orders = 0;
  const client = async () => {
    while (performance.now() - startedAt < seconds * 1000) {
      await placeOne();
      orders += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const result: OrderLoopResult = { orders, seconds: (performance.now() - startedAt) / 1000 };
  process.stdout.write(JSON.stringify(result));
}

/** Ids in order, so that two transactions never wait for each other in a circle. */
export function chooseProducts({ productIds, hotProductId }: OrderLoop): readonly string[] {
  const chosen = new Set(hotProductId === undefined ? [] : [hotProductId]);
  while (chosen.size < linesPerOrder) chosen.add(productIds[Math.floor(Math.random() * productIds.length)] ?? '');
  return [...chosen].sort();
}

/** The statements of one order in the order in which they are run, the same on both stores but for `locking`. */
export function orderStatements(locking: string) {
  return {
    read: `SELECT s.product_id AS id, s.on_hand - s.reserved AS available, p.sku, p.name, p.price_amount AS price
      FROM catalog_stock s JOIN catalog_products p ON p.id = s.product_id
      WHERE s.product_id IN (?, ?, ?) ORDER BY s.product_id ${locking}`,
    reserve: `UPDATE catalog_stock SET reserved = reserved + 1, version = version + 1
      WHERE product_id IN (?, ?, ?) AND on_hand - reserved >= 1`,
    reservation: `INSERT INTO catalog_reservations (id, state, digest, line_count, created_at) VALUES (?, 'held', ?, 3, ?)`,
    reserved: `INSERT INTO catalog_reservation_lines (reservation_id, product_id, sku, name, price_amount, price_currency, quantity)
      VALUES (?, ?, ?, ?, ?, 'GBP', 1), (?, ?, ?, ?, ?, 'GBP', 1), (?, ?, ?, ?, ?, 'GBP', 1)`,
    claim: `INSERT INTO orders_claims (reservation_id, kind, order_id, user_id, fingerprint, created_at) VALUES (?, 'order', ?, ?, ?, ?)`,
    order: `INSERT INTO orders_orders (id, user_id, reservation_id, status, currency, total, pieces, version, created_at, updated_at)
      VALUES (?, ?, ?, 'placed', 'GBP', ?, 3, 1, ?, ?)`,
    lines: `INSERT INTO orders_lines (order_id, line_number, product_id, sku, name, unit_price, quantity)
      VALUES (?, 1, ?, ?, ?, ?, 1), (?, 2, ?, ?, ?, ?, 1), (?, 3, ?, ?, ?, ?, 1)`,
    history: `INSERT INTO orders_history (order_id, sequence, status, actor, created_at) VALUES (?, 1, 'placed', 'customer', ?)`,
    event: `INSERT INTO orders_outbox (id, order_id, type, sequence, created_at, leased_until) VALUES (?, ?, 'order.placed', 1, ?, ?)`,
  };
}

/** What `read` answers for a product. */
export interface ShelfRow {
  readonly id: string;
  readonly available: number;
  readonly sku: string;
  readonly name: string;
  readonly price: number;
}

type Written = Exclude<keyof ReturnType<typeof orderStatements>, 'read' | 'reserve'>;

/** The parameters of the statements that write one order. */
export function orderParameters(found: readonly ShelfRow[], newId: () => string): [Written, (string | number)[]][] {
  if (found.length !== linesPerOrder || found.some(({ available }) => available < 1)) throw new Error('A product is sold out.');
  const [order, reservation, user, event] = [newId(), newId(), newId(), newId()];
  const now = new Date().toISOString().slice(0, 23).replace('T', ' ');
  const product = ({ id, sku, name, price }: ShelfRow) => [id, sku, name, price];
  const total = found.reduce((sum, { price }) => sum + price, 0);
  return [
    ['reservation', [reservation, 'digest', now]],
    ['reserved', found.flatMap((row) => [reservation, ...product(row)])],
    ['claim', [reservation, order, user, 'fingerprint', now]],
    ['order', [order, user, reservation, total, now, now]],
    ['lines', found.flatMap((row) => [order, ...product(row)])],
    ['history', [order, now]],
    ['event', [event, order, now, now]],
  ];
}

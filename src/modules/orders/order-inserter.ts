import { createBatcher } from '../../shared/batcher.ts';
import { type Database, isCheckViolation, isDuplicateKey, placeholders, type SqlTransaction } from '../../shared/database.ts';
import { toSql } from '../../shared/instant.ts';
import { insertOrderClaims } from './claim-store.ts';
import { pieces } from './order.ts';
import type { Order } from './orders-api.ts';
import { appendEvents } from './outbox-store.ts';

export interface PlacedInsert {
  readonly reservationId: string;
  readonly userId: string;
  readonly fingerprint: string;
  readonly order: Order;
}

/** Claim, order, lines, first history entry and outbox row in one transaction. @throws the duplicate-key error of a lost claim */
export type OrderInserter = (insert: PlacedInsert) => Promise<void>;

const limits = { maxItems: 64, maxWeight: 1000 };

/** Coalesces concurrent inserts into one commit; a lost claim fails its own order only. */
export function createOrderInserter(db: Database, onAppended: () => void): OrderInserter {
  return createBatcher<PlacedInsert, undefined>({
    limits,
    weigh: (insert) => insert.order.items.length,
    mayRunAlone: (error) => isDuplicateKey(error) || isCheckViolation(error),
    run: async (inserts) => {
      const sorted = [...inserts].sort((a, b) => (a.reservationId < b.reservationId ? -1 : 1));
      await db.transaction((tx) => insertAll(tx, sorted));
      onAppended();
      return inserts.map(() => ({ value: undefined }));
    },
  });
}

async function insertAll(tx: SqlTransaction, inserts: readonly PlacedInsert[]): Promise<void> {
  const orders = inserts.map((insert) => insert.order);
  const at = (order: Order) => toSql(new Date(order.createdAt));
  await insertOrderClaims(
    tx,
    inserts.map(({ order, ...claim }) => ({ ...claim, orderId: order.id })),
    new Date(),
  );
  await tx.run(
    `INSERT INTO orders_orders (id, user_id, reservation_id, status, currency, total, pieces, version, created_at, updated_at)
     VALUES ${placeholders(inserts.length, 10)}`,
    inserts.flatMap(({ order, reservationId }) => [
      order.id,
      order.userId,
      reservationId,
      order.status,
      order.total.currency,
      order.total.amount,
      pieces(order),
      order.version,
      at(order),
      at(order),
    ]),
  );
  const lines = orders.flatMap((order) => order.items.map((item, index) => ({ orderId: order.id, number: index + 1, item })));
  await tx.run(
    `INSERT INTO orders_lines (order_id, line_number, product_id, sku, name, unit_price, quantity) VALUES ${placeholders(lines.length, 7)}`,
    lines.flatMap(({ orderId, number, item }) => [
      orderId,
      number,
      item.productId,
      item.sku,
      item.name,
      item.unitPrice.amount,
      item.quantity,
    ]),
  );
  await tx.run(
    `INSERT INTO orders_history (order_id, sequence, status, actor, created_at) VALUES ${placeholders(orders.length, 5)}`,
    orders.flatMap((order) => [order.id, order.version, order.status, 'customer', at(order)]),
  );
  await appendEvents(
    tx,
    orders.map((order) => ({ orderId: order.id, type: 'order.placed', sequence: order.version, at: order.createdAt })),
  );
}

import { createCatalog } from '../src/modules/catalog/index.ts';
import { createOrders } from '../src/modules/orders/index.ts';
import type { Database, Param } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { findingsOf } from './harness/audit-findings.ts';
import { addProduct, silent as log, nobody, openShopStore } from './harness/module-door.ts';

/** The checker is alive: each kind of damage is found, named by invariant and row, and nothing is found without it. */

let db: Database;
let closeStore: () => Promise<void>;
let productId: string;
let orderId: string;
let reservationId: string;

beforeEach(async () => {
  ({ db, close: closeStore } = await openShopStore());
  const catalog = createCatalog({ db, log, now: Date.now }).api;
  const orders = createOrders({ db, catalog, auth: nobody, log, now: Date.now, onAppended: () => {} });
  productId = await addProduct(db, { stock: 10 });
  const placed = await orders.api.place({ userId: newId(), items: [{ productId, quantity: 2 }] });
  orderId = placed.order.id;
  const relay = orders.tasks.find(({ name }) => name === 'orders-relay');
  for (let round = 0; round < 2; round++) await relay?.run(new AbortController().signal);
  const [row] = await db.rows<{ reservation_id: string }>('SELECT reservation_id FROM orders_orders');
  reservationId = row?.reservation_id ?? '';
});

afterEach(() => closeStore());

type Damage = readonly [what: string, invariant: string, sql: string, params: () => readonly Param[]];

const product = () => [productId];
const order = () => [orderId];
const reservation = () => [reservationId];

const damages: readonly Damage[] = [
  ['pieces that came from nowhere', 'I-01', 'UPDATE catalog_stock SET on_hand = on_hand + 1 WHERE product_id = ?', product],
  ['pieces held for nobody', 'I-01', 'UPDATE catalog_stock SET reserved = reserved + 1 WHERE product_id = ?', product],
  ['a movement that is gone', 'I-01', "DELETE FROM catalog_stock_movements WHERE kind = 'sale' AND product_id = ?", product],
  ['a sold reservation given back', 'I-02', "UPDATE catalog_reservations SET state = 'returned' WHERE id = ?", reservation],
  ['a cancelled order whose pieces stay sold', 'I-02', "UPDATE orders_orders SET status = 'cancelled' WHERE id = ?", order],
  ['an order without its reservation', 'I-02', 'DELETE FROM catalog_reservations WHERE id = ?', reservation],
  ['a status that nobody moved to', 'I-03', "UPDATE orders_orders SET status = 'delivered' WHERE id = ?", order],
  ['a gap in the history', 'I-03', 'DELETE FROM orders_history WHERE sequence = 1 AND order_id = ?', order],
  ['an illegal step', 'I-03', "UPDATE orders_history SET status = 'delivered' WHERE sequence = 2 AND order_id = ?", order],
  [
    'an order that lost its claim',
    'I-04',
    "UPDATE orders_claims SET kind = 'void', order_id = NULL WHERE reservation_id = ?",
    reservation,
  ],
  ['a transition without its event', 'I-09', 'DELETE FROM orders_outbox WHERE sequence = 2 AND order_id = ?', order],
  ['an event without its transition', 'I-09', 'UPDATE orders_outbox SET sequence = 7 WHERE sequence = 2 AND order_id = ?', order],
  ['an event that was not delivered', 'I-10', 'UPDATE orders_outbox SET published_at = NULL WHERE order_id = ?', order],
  ['an order without lines', 'I-12', 'DELETE FROM orders_lines WHERE order_id = ?', order],
  ['a total that is not the sum of the lines', 'I-12', 'UPDATE orders_orders SET total = total + 1 WHERE id = ?', order],
  ['lines without an order', 'I-12', 'DELETE FROM orders_orders WHERE id = ?', order],
  ['half a reservation', 'I-12', 'DELETE FROM catalog_reservation_lines WHERE reservation_id = ?', reservation],
];

describe('the audit', () => {
  it('finds nothing in a shop that is sound', async () => {
    expect(await findingsOf(db)).toEqual([]);
  });

  it.each(damages.map(([what, invariant, sql, params]) => ({ what, invariant, sql, params })))(
    'finds $what ($invariant)',
    async ({ invariant, sql, params }) => {
      expect(await db.run(sql, params())).toBeGreaterThan(0);
      const findings = await findingsOf(db);
      expect(findings.map((finding) => finding.invariant)).toContain(invariant);
      for (const { subject, detail } of findings) expect(`${subject} ${detail}`).toMatch(/[0-9a-f-]{36}/);
    },
  );
});

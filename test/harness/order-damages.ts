import { newId } from '../../src/shared/identifier.ts';
import type { Damage } from './stock-damages.ts';

/** What can go wrong in the tables of orders, and what the audit has to find then. */

const someTime = '2026-01-01 00:00:00.000';

export const orderDamages: readonly Damage[] = [
  {
    what: 'a cancelled order whose pieces stay sold',
    found: ['I-02 reservation', 'I-03 order'],
    by: (shop) => [["UPDATE orders_orders SET status = 'cancelled' WHERE id = ?", shop.sold.order]],
  },
  {
    what: 'a status that nobody moved to',
    found: ['I-03 order'],
    by: (shop) => [["UPDATE orders_orders SET status = 'delivered' WHERE id = ?", shop.confirmed.order]],
  },
  {
    what: 'a version that nobody made',
    found: ['I-03 order'],
    by: (shop) => [['UPDATE orders_orders SET version = version + 1 WHERE id = ?', shop.sold.order]],
  },
  {
    what: 'a gap in the history',
    found: ['I-03 order', 'I-09 event'],
    by: (shop) => [['DELETE FROM orders_history WHERE sequence = 2 AND order_id = ?', shop.sold.order]],
  },
  {
    what: 'an illegal step',
    found: ['I-03 order'],
    by: (shop) => [
      ["UPDATE orders_history SET status = 'delivered' WHERE sequence = 2 AND order_id = ?", shop.sold.order],
      ["UPDATE orders_outbox SET type = 'order.delivered' WHERE sequence = 2 AND order_id = ?", shop.sold.order],
    ],
  },
  {
    what: 'a change without a trace',
    found: ['I-03 order'],
    by: (shop) => [['UPDATE orders_orders SET updated_at = ? WHERE id = ?', someTime, shop.sold.order]],
  },
  {
    what: 'a cancelled order that was never cancelled',
    found: ['I-03 order', 'I-12 day'],
    by: (shop) => [['UPDATE orders_orders SET cancelled_at = NULL WHERE id = ?', shop.returned.order]],
  },
  {
    what: 'an order whose claim is void',
    found: ['I-02 reservation', 'I-04 order'],
    by: (shop) => [["UPDATE orders_claims SET kind = 'void', order_id = NULL WHERE reservation_id = ?", shop.sold.reservation]],
  },
  {
    what: 'a claim that names another order',
    found: ['I-04 claim', 'I-04 order'],
    by: (shop) => [
      ['UPDATE orders_claims SET order_id = ? WHERE reservation_id = ?', shop.confirmed.order, shop.sold.reservation],
    ],
  },
  {
    what: 'a claim of another user',
    found: ['I-04 order'],
    by: (shop) => [['UPDATE orders_claims SET user_id = ? WHERE reservation_id = ?', newId(), shop.sold.reservation]],
  },
  {
    what: 'a fingerprint of an erased user',
    found: ['I-31 order'],
    by: (shop) => [["UPDATE orders_claims SET fingerprint = 'left' WHERE reservation_id = ?", shop.erased.reservation]],
  },
  {
    what: 'an order without lines',
    found: ['I-12 order', 'I-17 order'],
    by: (shop) => [['DELETE FROM orders_lines WHERE order_id = ?', shop.sold.order]],
  },
  {
    what: 'a total that is not the sum of the lines',
    found: ['I-12 day', 'I-12 order'],
    by: (shop) => [['UPDATE orders_orders SET total = total + 1 WHERE id = ?', shop.sold.order]],
  },
  {
    what: 'pieces that are not the sum of the lines',
    found: ['I-12 day', 'I-12 order'],
    by: (shop) => [['UPDATE orders_orders SET pieces = pieces + 1 WHERE id = ?', shop.sold.order]],
  },
  {
    what: 'a gap between the lines',
    found: ['I-12 order'],
    by: (shop) => [['UPDATE orders_lines SET line_number = 2 WHERE order_id = ?', shop.sold.order]],
  },
  {
    what: 'what is left of an order',
    found: ['I-02 reservation', 'I-09 order', 'I-12 claim', 'I-12 day', 'I-12 order'],
    by: (shop) => [['DELETE FROM orders_orders WHERE id = ?', shop.sold.order]],
  },
  {
    what: 'a day with other totals',
    found: ['I-12 day'],
    by: (shop) => [["UPDATE orders_days SET placed_total = '1' WHERE day = ?", shop.day]],
  },
  {
    what: 'a day that was left out',
    found: ['I-12 day'],
    by: (shop) => [
      ['DELETE FROM orders_closed_days WHERE day = ?', shop.day],
      ['DELETE FROM orders_days WHERE day = ?', shop.day],
    ],
  },
  {
    what: 'another price than the reserved one',
    found: ['I-12 day', 'I-17 order'],
    by: (shop) => [
      ['UPDATE orders_lines SET unit_price = unit_price + 1 WHERE order_id = ?', shop.sold.order],
      ['UPDATE orders_orders SET total = total + 2 WHERE id = ?', shop.sold.order],
    ],
  },
  {
    what: 'another name than the reserved one',
    found: ['I-17 order'],
    by: (shop) => [["UPDATE orders_lines SET name = 'lamp' WHERE order_id = ?", shop.sold.order]],
  },
  {
    what: 'another currency than the reserved one',
    found: ['I-12 day', 'I-17 order'],
    by: (shop) => [["UPDATE orders_orders SET currency = 'EUR' WHERE id = ?", shop.sold.order]],
  },
];

export const eventDamages: readonly Damage[] = [
  {
    what: 'a transition without its event',
    found: ['I-09 order'],
    by: (shop) => [['DELETE FROM orders_outbox WHERE sequence = 2 AND order_id = ?', shop.sold.order]],
  },
  {
    what: 'an event without its transition',
    found: ['I-09 event', 'I-09 order'],
    by: (shop) => [['UPDATE orders_outbox SET sequence = 7 WHERE sequence = 2 AND order_id = ?', shop.sold.order]],
  },
  {
    what: 'an event that was not delivered',
    found: ['I-10 event'],
    by: (shop) => [['UPDATE orders_outbox SET published_at = NULL WHERE order_id = ?', shop.sold.order]],
  },
  {
    what: 'a dead letter',
    found: ['I-10 event'],
    by: (shop) => [['UPDATE orders_outbox SET published_at = NULL, dead_at = created_at WHERE order_id = ?', shop.sold.order]],
  },
  {
    what: 'an event that was handled without effect',
    found: ['I-11 event'],
    by: (shop) => [
      ["UPDATE orders_orders SET status = 'placed', version = 1, updated_at = created_at WHERE id = ?", shop.sold.order],
      ['DELETE FROM orders_history WHERE sequence > 1 AND order_id = ?', shop.sold.order],
      ['DELETE FROM orders_outbox WHERE sequence > 1 AND order_id = ?', shop.sold.order],
    ],
  },
  {
    what: 'an event that nobody handles, handled',
    found: ['I-11 event'],
    by: () => [
      [
        "INSERT INTO orders_inbox (consumer, event_id, received_at) SELECT 'settlement', id, created_at FROM orders_outbox WHERE type = 'order.shipped'",
      ],
    ],
  },
  {
    what: 'an event that nobody handles, handled by a second consumer',
    found: ['I-11 event'],
    by: () => [
      [
        "INSERT INTO orders_inbox (consumer, event_id, received_at) SELECT 'another', id, created_at FROM orders_outbox WHERE type = 'order.shipped'",
      ],
    ],
  },
];

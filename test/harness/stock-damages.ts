import type { Param } from '../../src/shared/database.ts';
import { newId } from '../../src/shared/identifier.ts';
import type { AuditedShop } from './audited-shop.ts';

/** What can go wrong in the catalog's tables, and what the audit has to find then. */

export type Statement = readonly [sql: string, ...params: readonly Param[]];

export interface Damage {
  readonly what: string;
  /** invariants and what they name, each once, in order */
  readonly found: readonly string[];
  readonly by: (shop: AuditedShop) => readonly Statement[];
}

const insertMovement =
  'INSERT INTO catalog_stock_movements (id, product_id, kind, delta, reservation_id, created_at) VALUES (?, ?, ?, ?, ?, ?)';
const takeFromShelf = 'UPDATE catalog_stock SET on_hand = on_hand - 2 WHERE product_id = ?';
const someTime = '2026-01-01 00:00:00.000';

export const stockDamages: readonly Damage[] = [
  {
    what: 'pieces that came from nowhere',
    found: ['I-01 product'],
    by: (shop) => [['UPDATE catalog_stock SET on_hand = on_hand + 1 WHERE product_id = ?', shop.product]],
  },
  {
    what: 'pieces held for nobody',
    found: ['I-01 product'],
    by: (shop) => [['UPDATE catalog_stock SET reserved = reserved + 1 WHERE product_id = ?', shop.product]],
  },
  {
    what: 'a movement that says another number',
    found: ['I-01 product'],
    by: () => [["UPDATE catalog_stock_movements SET delta = delta - 1 WHERE kind = 'initial'"]],
  },
  {
    what: 'a sale that is not in the ledger',
    found: ['I-01 product', 'I-11 sale'],
    by: (shop) => [["DELETE FROM catalog_stock_movements WHERE kind = 'sale' AND reservation_id = ?", shop.sold.reservation]],
  },
  {
    what: 'a sale that is in the ledger twice',
    found: ['I-11 sale'],
    by: (shop) => [
      [insertMovement, newId(), shop.product, 'sale', -2, shop.sold.reservation, someTime],
      [takeFromShelf, shop.product],
    ],
  },
  {
    what: 'a sale that is booked for another order',
    found: ['I-11 sale'],
    by: (shop) => [
      [
        "UPDATE catalog_stock_movements SET reservation_id = ? WHERE kind = 'sale' AND reservation_id = ?",
        shop.confirmed.reservation,
        shop.sold.reservation,
      ],
    ],
  },
  {
    what: 'a return of pieces that were not returned',
    found: ['I-11 movement'],
    by: (shop) => [
      [insertMovement, newId(), shop.product, 'return', 2, shop.sold.reservation, someTime],
      ['UPDATE catalog_stock SET on_hand = on_hand + 2 WHERE product_id = ?', shop.product],
    ],
  },
  {
    what: 'a return that is not in the ledger',
    found: ['I-11 return'],
    by: (shop) => [["DELETE FROM catalog_stock_movements WHERE kind = 'return'"], [takeFromShelf, shop.product]],
  },
  {
    what: 'a sale of another quantity',
    found: ['I-11 movement', 'I-11 sale'],
    by: (shop) => [
      ["UPDATE catalog_stock_movements SET delta = -4 WHERE kind = 'sale' AND reservation_id = ?", shop.sold.reservation],
      [takeFromShelf, shop.product],
    ],
  },
  {
    what: 'a sale for nobody',
    found: ['I-11 movement'],
    by: (shop) => [
      [insertMovement, newId(), shop.product, 'sale', -2, null, someTime],
      [takeFromShelf, shop.product],
    ],
  },
  {
    what: 'a product without stock',
    found: ['I-12 movement', 'I-12 product'],
    by: (shop) => [['DELETE FROM catalog_stock WHERE product_id = ?', shop.product]],
  },
  {
    what: 'a stock without product',
    found: ['I-12 product'],
    by: () => [['INSERT INTO catalog_stock (product_id, on_hand, reserved, version) VALUES (?, 0, 0, 1)', newId()]],
  },
];

export const reservationDamages: readonly Damage[] = [
  {
    what: 'a sold reservation given back',
    found: ['I-02 reservation', 'I-11 return'],
    by: (shop) => [["UPDATE catalog_reservations SET state = 'returned' WHERE id = ?", shop.sold.reservation]],
  },
  {
    what: 'an order without its reservation',
    found: ['I-02 order', 'I-11 movement', 'I-12 reservation'],
    by: (shop) => [['DELETE FROM catalog_reservations WHERE id = ?', shop.sold.reservation]],
  },
  {
    what: 'an abandoned attempt that holds pieces',
    found: ['I-02 reservation'],
    by: (shop) => [
      ["UPDATE catalog_reservations SET state = 'held', settled_at = NULL WHERE id = ?", shop.voided],
      ['UPDATE catalog_stock SET reserved = reserved + 1 WHERE product_id = ?', shop.product],
    ],
  },
  {
    what: 'an attempt that was given up by nobody',
    found: ['I-02 reservation'],
    by: (shop) => [['DELETE FROM orders_claims WHERE reservation_id = ?', shop.voided]],
  },
  {
    what: 'a reservation that was never settled and is',
    found: ['I-02 reservation'],
    by: (shop) => [['UPDATE catalog_reservations SET settled_at = NULL WHERE id = ?', shop.sold.reservation]],
  },
  {
    what: 'a sale of what was released before it was made',
    found: ['I-02 reservation'],
    by: (shop) => [['UPDATE catalog_reservations SET digest = NULL WHERE id = ?', shop.sold.reservation]],
  },
  {
    what: 'half a reservation',
    found: ['I-11 movement', 'I-12 reservation', 'I-17 order'],
    by: (shop) => [['DELETE FROM catalog_reservation_lines WHERE reservation_id = ?', shop.sold.reservation]],
  },
];

import type { Sql } from '../../shared/database.ts';

/** What a batch changes in the stock of one product. */
export interface StockChange {
  readonly onHand: number;
  readonly reserved: number;
}

/** A stock row does not bear a change that was decided to be possible; the transaction has to be rolled back. */
export class StockGuardFailed extends Error {
  constructor(changed: number, wanted: number) {
    super(`The stock of ${wanted - changed} of ${wanted} products does not bear the change.`);
    this.name = 'StockGuardFailed';
  }
}

/** Adds up changes by product. */
export function addChange(changes: Map<string, StockChange>, productId: string, { onHand, reserved }: StockChange): void {
  const sum = changes.get(productId) ?? { onHand: 0, reserved: 0 };
  changes.set(productId, { onHand: sum.onHand + onHand, reserved: sum.reserved + reserved });
}

/**
 * Applies the changes of a whole batch in one statement, in the order of the products' ids. The condition repeats what was
 * decided: never less than nothing reserved, never more reserved than on hand.
 * @throws StockGuardFailed when one product does not meet it
 */
export async function changeStock(tx: Sql, changes: ReadonlyMap<string, StockChange>): Promise<void> {
  if (changes.size === 0) return;
  const sorted = [...changes].sort(([one], [other]) => (one < other ? -1 : 1));
  const parameter = JSON.stringify(sorted.map(([productId, { onHand, reserved }]) => [productId, onHand, reserved]));
  const changed = await tx.run(tx.dialect === 'mysql' ? updateOnMysql : updateOnSqlite, [parameter]);
  if (changed !== changes.size) throw new StockGuardFailed(changed, changes.size);
}

// The rows come as one JSON text: so it is one prepared statement, whatever the size of the batch. STRAIGHT_JOIN makes the rows
// of the stock be locked in the order of the text; without the hint a small table would be read, and locked, from its beginning.
const updateOnMysql = `
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
      product_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$[0]', on_hand BIGINT PATH '$[1]', reserved BIGINT PATH '$[2]')) d
    STRAIGHT_JOIN catalog_stock s FORCE INDEX (PRIMARY) ON s.product_id = d.product_id
  SET s.on_hand = s.on_hand + d.on_hand, s.reserved = s.reserved + d.reserved, s.version = s.version + 1
  WHERE s.reserved + d.reserved >= 0 AND s.reserved + d.reserved <= s.on_hand + d.on_hand`;

const updateOnSqlite = `
  UPDATE catalog_stock AS s
  SET on_hand = s.on_hand + d.on_hand, reserved = s.reserved + d.reserved, version = s.version + 1
  FROM (SELECT json_extract(value, '$[0]') AS product_id, json_extract(value, '$[1]') AS on_hand, json_extract(value, '$[2]') AS reserved
          FROM json_each(?)) AS d
  WHERE s.product_id = d.product_id AND s.reserved + d.reserved >= 0 AND s.reserved + d.reserved <= s.on_hand + d.on_hand`;

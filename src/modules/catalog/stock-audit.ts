import { type AuditRun, settledAfterMs } from '../../shared/audit-run.ts';
import { type Database, placeholders, type Sql } from '../../shared/database.ts';
import type { Finding } from '../../shared/finding.ts';
import { type IdRange, lastId, readRange, within } from '../../shared/id-range.ts';
import { toSql } from '../../shared/instant.ts';
import { sumHeld } from './held-sums.ts';
import { type LedgerSum, sumMovements } from './movement-sums.ts';

/** what is held is added up once for so many products, and again only where that is not what the stock says */
const blockSize = 20_000;
const pageSize = 100;

interface StockRow {
  readonly product_id: string;
  readonly on_hand: number;
  readonly reserved: number;
}

/**
 * I-01: on hand is the sum of the movements, reserved the sum of what is held, and 0 ≤ reserved ≤ on hand. Movements never
 * change, so those that are old are added up beforehand, in many short statements; stock, the rest of the ledger and what is
 * held are then read in one snapshot. Also that every product has a stock, and every stock a product (I-12).
 */
export async function* auditStock(db: Database, run: AuditRun): AsyncGenerator<Finding> {
  run.count('products');
  run.count('movements');
  for (let after = ''; after < lastId; ) {
    const block = { after, upTo: await blockEnd(db, after) };
    const held = await sumHeld(db, block, run.breathe);
    for (let range: IdRange = block; range.after < block.upTo; ) {
      const page = await readPage(db, range);
      yield* page.findings;
      yield* await checkPage({ db, run, held }, page.ids);
      run.count('products', page.ids.length);
      range = { after: page.upTo, upTo: block.upTo };
      await run.breathe();
    }
    after = block.upTo;
  }
}

async function blockEnd(db: Database, after: string): Promise<string> {
  const [row] = await db.rows<{ product_id: string }>(
    `SELECT product_id FROM catalog_stock WHERE product_id > ? ORDER BY product_id LIMIT 1 OFFSET ${blockSize}`,
    [after],
  );
  return row?.product_id ?? lastId;
}

/** The ids of one page of stocks, and what has a stock and is no product or the other way round. */
async function readPage(db: Database, range: IdRange) {
  return db.transaction(
    async (tx) => {
      const keyOf = ({ id }: { id: string }) => id;
      const read = (column: string, table: string, part: IdRange) =>
        readRange(tx, { select: `SELECT ${column} AS id FROM ${table}`, key: column, keyOf, range: part, max: pageSize });
      const stocks = await read('product_id', 'catalog_stock', range);
      const products = await read('id', 'catalog_products', stocks.range);
      const ids = within(stocks.rows, keyOf, products.range).map(keyOf);
      const known = new Set(products.rows.map(keyOf));
      const alone = [
        ...ids.filter((id) => !known.has(id)).map((id) => broken(id, 'does not exist, but a stock of it does')),
        ...[...known].filter((id) => !ids.includes(id)).map((id) => broken(id, 'has no stock')),
      ];
      return { ids, upTo: products.range.upTo, findings: alone };
    },
    { readOnly: true },
  );
}

const broken = (id: string, detail: string): Finding => ({ invariant: 'I-12', subject: `product ${id}`, detail });

interface StockAudit {
  readonly db: Database;
  readonly run: AuditRun;
  /** what was held a while ago */
  readonly held: ReadonlyMap<string, bigint>;
}

async function checkPage({ db, run, held }: StockAudit, ids: readonly string[]): Promise<readonly Finding[]> {
  if (ids.length === 0) return [];
  const bound = toSql(new Date(Math.min(run.now, Date.now()) - settledAfterMs));
  const old = await sumMovements(db, { ids, span: { until: bound } }, run.breathe);
  const look = async (tx: Sql, some: readonly string[], { whole }: { whole: boolean }) => {
    const rows = await readStocks(tx, some);
    const recent = await sumMovements(tx, { ids: some, span: whole ? {} : { from: bound } }, run.yieldTurn);
    const moved = (id: string) => totalOf(recent, id) + (whole ? 0n : totalOf(old, id));
    const unlike = rows.filter((row) => BigInt(row.reserved) !== (held.get(row.product_id) ?? 0n));
    const exact = unlike.length > 0 ? await sumHeld(tx, rangeOf(unlike), run.yieldTurn) : undefined;
    const counted = new Set(unlike.map((row) => row.product_id));
    const heldOf = (id: string) => (counted.has(id) ? exact : held)?.get(id) ?? 0n;
    return { rows, recent, moved, heldOf };
  };
  const first = await db.transaction((tx) => look(tx, ids, { whole: false }), { readOnly: true });
  run.count('movements', countOf(old) + countOf(first.recent));
  const suspects = first.rows.filter((row) => checkStock(row, first).length > 0).map((row) => row.product_id);
  if (suspects.length === 0) return [];
  // A movement whose process has a clock behind by more than a minute came late into the old part of the ledger.
  const second = await db.transaction((tx) => look(tx, suspects, { whole: true }), { readOnly: true });
  return second.rows.flatMap((row) => checkStock(row, second));
}

function readStocks(tx: Sql, ids: readonly string[]) {
  return tx.rows<StockRow>(
    `SELECT product_id, on_hand, reserved FROM catalog_stock WHERE product_id IN ${placeholders(1, ids.length)} ORDER BY product_id`,
    ids,
  );
}

/** All stocks of a page may be meant: a stretch from just before the first to the last. */
function rangeOf(rows: readonly StockRow[]): IdRange {
  const ids = rows.map((row) => row.product_id);
  const first = ids[0] ?? '';
  return { after: first.slice(0, -1), upTo: ids.at(-1) ?? '' };
}

function totalOf(sums: ReadonlyMap<string, LedgerSum>, id: string): bigint {
  return sums.get(id)?.total ?? 0n;
}

function countOf(sums: ReadonlyMap<string, LedgerSum>): number {
  return [...sums.values()].reduce((sum, { movements }) => sum + movements, 0);
}

interface Sums {
  readonly moved: (id: string) => bigint;
  readonly heldOf: (id: string) => bigint;
}

function checkStock({ product_id, on_hand, reserved }: StockRow, { moved, heldOf }: Sums): readonly Finding[] {
  const finding = (detail: string): Finding => ({ invariant: 'I-01', subject: `product ${product_id}`, detail });
  const [sum, held] = [moved(product_id), heldOf(product_id)];
  return [
    ...(BigInt(on_hand) === sum ? [] : [finding(`has ${on_hand} on hand, its movements add up to ${sum}`)]),
    ...(BigInt(reserved) === held ? [] : [finding(`has ${reserved} reserved, its held reservations add up to ${held}`)]),
    ...(0 <= reserved && reserved <= on_hand ? [] : [finding(`has ${reserved} reserved of ${on_hand} on hand`)]),
  ];
}

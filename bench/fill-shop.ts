import { type Database, type Param, placeholders } from '../src/shared/database.ts';
import { derivedId, newId } from '../src/shared/identifier.ts';
import { toSql } from '../src/shared/instant.ts';
import { insertProducts, makeShelf, type Product } from './fill-products.ts';

export interface FillOptions {
  readonly orders: number;
  readonly products: number;
  /** the newest order's time, milliseconds since 1970; the others lie on the days before */
  readonly now: number;
  /** how far apart two orders are */
  readonly everyMs: number;
  /** who placed an order, by its number; where it says nobody, and by default, customers of 20 orders each */
  readonly customerOf?: (number: number) => string | undefined;
}

type Row = readonly Param[];

const rowsPerStatement = 500;
const ordersPerTransaction = 2000;
/** a machine that is filled is busy: no statement is given up for that */
const unhurried = { unhurried: true };
const dayMs = 86_400_000;

/**
 * Fills the tables of an empty, migrated shop with orders in every state, as the shop itself would have left them: their
 * reservations, movements, claims, history, events and closed days. One product is in every second order. Writes in bulk,
 * past the modules, because a million orders through them take an hour.
 */
export async function fillShop(db: Database, options: FillOptions): Promise<void> {
  const { orders, products, now, everyMs, customerOf = () => undefined } = options;
  const start = now - orders * everyMs;
  const shelf = makeShelf(products, start);
  const users = Array.from({ length: Math.max(1, Math.ceil(orders / 20)) }, () => newId(start));
  const days = createDays();
  for (let first = 0; first < orders; first += ordersPerTransaction) {
    const tables = createTables();
    for (let number = first; number < Math.min(orders, first + ordersPerTransaction); number++) {
      const user = customerOf(number) ?? users[number % users.length] ?? '';
      addOrder(tables, { number, at: start + number * everyMs, user, lines: choose(shelf, number), isNew: number > orders - 5 });
    }
    for (const order of tables.orders.rows) days.count(order);
    await db.transaction(async (tx) => {
      for (const { into, columns, rows } of Object.values(tables))
        for (let done = 0; done < rows.length; done += rowsPerStatement) {
          const some = rows.slice(done, done + rowsPerStatement);
          await tx.run(`INSERT INTO ${into} (${columns}) VALUES ${placeholders(some.length, some[0]?.length ?? 0)}`, some.flat());
        }
    }, unhurried);
  }
  await insertProducts(db, shelf);
  await days.close(db, toSql(new Date(now)).slice(0, 10));
}

function choose(shelf: readonly Product[], number: number): readonly Product[] {
  const others = [(number * 7919 + 1) % shelf.length, (number * 104_729 + 2) % shelf.length];
  const chosen = number % 2 === 0 ? [0, ...others] : others;
  return [...new Set(chosen)].map((place) => shelf[place]).filter((product) => product !== undefined);
}

const table = (into: string, columns: string) => ({ into, columns, rows: [] as Row[] });

function createTables() {
  return {
    reservations: table('catalog_reservations', 'id, state, digest, line_count, created_at, settled_at'),
    reserved: table('catalog_reservation_lines', 'reservation_id, product_id, sku, name, price_amount, price_currency, quantity'),
    movements: table('catalog_stock_movements', 'id, product_id, kind, delta, reservation_id, created_at'),
    claims: table('orders_claims', 'reservation_id, kind, order_id, user_id, fingerprint, created_at'),
    orders: table(
      'orders_orders',
      'id, user_id, reservation_id, status, currency, total, pieces, version, created_at, updated_at, cancelled_at',
    ),
    lines: table('orders_lines', 'order_id, line_number, product_id, sku, name, unit_price, quantity'),
    history: table('orders_history', 'order_id, sequence, status, actor, created_at'),
    outbox: table('orders_outbox', 'id, order_id, type, sequence, created_at, leased_until, published_at'),
    inbox: table('orders_inbox', 'consumer, event_id, received_at'),
  };
}

/** What becomes of an order, by its number: most are delivered, some are cancelled before or after they were sold. */
const lives = [
  ['placed', 'confirmed', 'shipped', 'delivered'],
  ['placed', 'confirmed'],
  ['placed', 'confirmed', 'shipped', 'delivered'],
  ['placed', 'confirmed', 'cancelled'],
  ['placed', 'confirmed', 'shipped'],
  ['placed', 'cancelled'],
] as const;

interface NewOrder {
  readonly number: number;
  readonly at: number;
  readonly user: string;
  readonly lines: readonly Product[];
  /** still held, with its event on its way */
  readonly isNew: boolean;
}

type Tables = ReturnType<typeof createTables>;
type Status = (typeof lives)[number][number];

interface Life {
  readonly steps: readonly Status[];
  readonly state: 'held' | 'committed' | 'released' | 'returned';
  readonly time: (step: number) => string;
}

function lifeOf({ number, at, isNew }: NewOrder): Life {
  const steps: readonly Status[] = isNew ? ['placed'] : (lives[number % lives.length] ?? lives[0]);
  const sold = steps.includes('confirmed');
  const cancelled = steps.includes('cancelled');
  const kept = sold ? 'committed' : 'held';
  const givenBack = sold ? 'returned' : 'released';
  return { steps, state: cancelled ? givenBack : kept, time: (step) => toSql(new Date(at + step * 10)) };
}

function addOrder(tables: Tables, order: NewOrder): void {
  const { number, at, user, lines, isNew } = order;
  const life = lifeOf(order);
  const { steps, time } = life;
  const id = newId(at);
  const reservation = number % 3 === 0 ? derivedId('order', user, String(number)) : newId(at);
  const quantity = 1 + (number % 3);
  const last = time(steps.length - 1);
  const cancelledAt = steps.includes('cancelled') ? last : null;
  const total = lines.reduce((sum, { price }) => sum + price * quantity, 0);
  tables.reservations.rows.push([reservation, life.state, 'digest', lines.length, time(0), isNew ? null : last]);
  tables.claims.rows.push([reservation, 'order', id, user, 'fingerprint', time(0)]);
  tables.orders.rows.push([
    ...[id, user, reservation, steps.at(-1) ?? 'placed', 'GBP', total, lines.length * quantity],
    ...[steps.length, time(0), last, cancelledAt],
  ]);
  for (const [index, product] of lines.entries()) {
    const { id: productId, sku, price } = product;
    tables.reserved.rows.push([reservation, productId, sku, `Product ${sku}`, price, 'GBP', quantity]);
    tables.lines.rows.push([id, index + 1, productId, sku, `Product ${sku}`, price, quantity]);
    moveStock(tables, { product, quantity, reservation, at, life });
  }
  addEvents(tables, { id, at, life, isNew });
}

interface Piece {
  readonly product: Product;
  readonly quantity: number;
  readonly reservation: string;
  readonly at: number;
  readonly life: Life;
}

function moveStock({ movements }: Tables, { product, quantity, reservation, at, life: { state, steps, time } }: Piece): void {
  const move = (kind: string, delta: number, when: string) => {
    product.moved += delta;
    movements.rows.push([newId(at), product.id, kind, delta, reservation, when]);
  };
  if (state === 'held') product.reserved += quantity;
  if (state === 'committed' || state === 'returned') move('sale', -quantity, time(1));
  if (state === 'returned') move('return', quantity, time(steps.length - 1));
}

function addEvents(
  { history, outbox, inbox }: Tables,
  { id, at, life: { steps, time }, isNew }: { id: string; at: number; life: Life; isNew: boolean },
): void {
  for (const [index, step] of steps.entries()) {
    const event = newId(at);
    history.rows.push([id, index + 1, step, 'system', time(index)]);
    outbox.rows.push([event, id, `order.${step}`, index + 1, time(index), time(index), isNew ? null : time(index)]);
    if (!isNew && (step === 'placed' || step === 'cancelled')) inbox.rows.push(['settlement', event, time(index)]);
  }
}

/** The totals of all days before the last one. */
function createDays() {
  const days = new Map<string, { placed: number[]; cancelled: number[] }>();
  const add = (time: string, fact: 'placed' | 'cancelled', facts: readonly number[]) => {
    const day = days.get(time.slice(0, 10)) ?? { placed: [0, 0, 0], cancelled: [0, 0, 0] };
    days.set(time.slice(0, 10), day);
    day[fact] = day[fact].map((sum, index) => sum + (facts[index] ?? 0));
  };
  return {
    count: (order: Row) => {
      const facts = [1, Number(order[6]), Number(order[5])];
      add(String(order[8]), 'placed', facts);
      if (order[10] !== null) add(String(order[10]), 'cancelled', facts);
    },
    close: async (db: Database, today: string) => {
      const first = [...days.keys()].sort()[0] ?? today;
      for (let day = first; day < today; day = new Date(Date.parse(day) + dayMs).toISOString().slice(0, 10)) {
        await db.run('INSERT INTO orders_closed_days (day) VALUES (?)', [day]);
        const facts = days.get(day);
        if (facts === undefined) continue;
        await db.run(
          `INSERT INTO orders_days (day, currency, placed_count, placed_pieces, placed_total, cancelled_count, cancelled_pieces, cancelled_total)
           VALUES ${placeholders(1, 8)}`,
          [day, 'GBP', ...[...facts.placed, ...facts.cancelled].map(String)],
        );
      }
    },
  };
}

import { embedded, type Mutant, services } from './mutant.ts';

const changes = 'src/modules/catalog/stock-changes.ts';
const decision = 'src/modules/catalog/reserve-decision.ts';
const reserve = 'src/modules/catalog/reserve.ts';
const store = 'src/modules/catalog/stock-store.ts';
const guarded = 'many at once carries its guard into the statement that writes';

/** No piece is sold twice, and no count of staff overwrites another one. */
export const stockMutants: readonly Mutant[] = [
  {
    guard: 'a repeated adjustment is known although its product is gone',
    file: 'src/modules/catalog/stock-store.ts',
    text: " || (error instanceof Failure && error.code === 'not-found')",
    mutation: '',
    noticedBy: [embedded('stock', 'adjusting the stock is answered again under its key although the product is gone by now')],
  },
  {
    guard: 'what belongs to a transaction is written through it, not beside it',
    file: 'src/modules/catalog/stock-store.ts',
    text: 'if (delta === 0) return;\n    await insertMovement(tx, {',
    mutation: 'if (delta === 0) return;\n    await insertMovement(db, {',
    noticedBy: [services('query-plans', 'nothing waits for a connection while its caller holds one')],
  },
  {
    guard: 'the UPDATE of stock repeats the decision in its WHERE, on SQLite',
    file: changes,
    text: 'WHERE s.product_id = d.product_id AND s.reserved + d.reserved >= 0 AND s.reserved + d.reserved <= s.on_hand + d.on_hand`;',
    mutation: 'WHERE s.product_id = d.product_id`;',
    noticedBy: [embedded('reservation-races', guarded)],
  },
  {
    guard: 'the UPDATE of stock repeats the decision in its WHERE, on MySQL',
    file: changes,
    text: 'WHERE s.reserved + d.reserved >= 0 AND s.reserved + d.reserved <= s.on_hand + d.on_hand`;',
    mutation: '`;',
    noticedBy: [services('reservation-races', guarded)],
  },
  {
    guard: 'fewer changed rows of stock than wanted undo the transaction',
    file: changes,
    text: 'if (changed !== changes.size) throw new StockGuardFailed(changed, changes.size);',
    mutation: '',
    noticedBy: [embedded('reservation-races', guarded), services('reservation-races', guarded)],
  },
  {
    guard: 'a CHECK keeps 0 <= reserved <= on hand',
    file: 'migrations/0002-catalog-stock.ts',
    text: 'CHECK (0 <= reserved AND reserved <= on_hand)',
    mutation: 'CHECK (1 = 1)',
    noticedBy: [
      embedded('reservation-races', 'many at once keeps the stock sound when the guard of the code is passed by'),
      services('reservation-races', 'many at once keeps the stock sound when the guard of the code is passed by'),
    ],
  },
  {
    guard: 'a short line refuses the order',
    file: decision,
    text: '.filter((item) => item.available < item.requested)',
    mutation: '.filter(() => false)',
    noticedBy: [
      embedded('reserving', 'reserving names every short line and holds nothing'),
      embedded('reservation-races', 'many at once is decided against what the earlier ones of a batch have left'),
    ],
  },
  {
    guard: 'each decision of a batch takes from the shelf of the next',
    file: decision,
    text: 'for (const { productId, quantity } of items) available.set(productId, (available.get(productId) ?? 0) - quantity);',
    mutation: '',
    noticedBy: [embedded('reservation-races', 'many at once is decided against what the earlier ones of a batch have left')],
  },
  {
    guard: 'an order that would cost something else than expected is refused',
    file: decision,
    text: "throw new Failure('total-changed', { members: { total } });",
    mutation: '',
    noticedBy: [embedded('placing-orders', 'placing an order refuses an order that would cost something else than expected')],
  },
  {
    guard: 'one order has one currency',
    file: decision,
    text: 'if (currencies.length > 1)',
    mutation: 'if (currencies.length > 9)',
    noticedBy: [
      embedded('reserving', 'reserving refuses two currencies, another total than expected and a total beyond 2^53 − 1'),
    ],
  },
  {
    guard: 'a total beyond exact numbers is refused',
    file: decision,
    text: 'if (amount > BigInt(Number.MAX_SAFE_INTEGER))',
    mutation: 'if (amount < 0n)',
    noticedBy: [
      embedded('reserving', 'reserving refuses two currencies, another total than expected and a total beyond 2^53 − 1'),
    ],
  },
  {
    guard: 'a quantity of a reservation is above 0',
    file: reserve,
    text: 'Number.isSafeInteger(quantity) && quantity > 0',
    mutation: 'Number.isSafeInteger(quantity)',
    noticedBy: [embedded('reserving', 'reserving refuses what no caller may send')],
  },
  {
    guard: 'a deleted product is not sold',
    file: reserve,
    text: ' WHERE deleted_at IS NULL',
    mutation: '',
    noticedBy: [
      embedded(
        'placing-orders',
        'placing an order refuses mixed currencies, unknown and deleted products, and totals beyond exact numbers',
      ),
    ],
  },
  {
    guard: 'the price of an order never comes from a copy',
    file: 'src/modules/catalog/index.ts',
    text: 'answered(() => reserve(...request)),',
    mutation: `answered(async () => {
        const { outcome, lines } = await reserve(...request);
        const copied = async (id: string) => (await cache.read(id)).price;
        return { outcome, lines: await Promise.all(lines.map(async (line) => ({ ...line, unitPrice: await copied(line.productId) }))) };
      }),`,
    noticedBy: [embedded('shared-products', 'a product that two processes sell is never sold at the price of a copy')],
  },
  {
    guard: 'the price is fixed when the pieces are reserved',
    file: 'src/modules/catalog/reservation-store.ts',
    text: 'SELECT reservation_id, product_id, sku, name, price_amount,',
    mutation:
      'SELECT reservation_id, product_id, sku, name, (SELECT p.price_amount FROM catalog_products p WHERE p.id = product_id) AS price_amount,',
    noticedBy: [embedded('reserving', 'reserving holds all items and fixes what they cost today')],
  },
  {
    guard: 'an adjustment never goes below what is reserved',
    file: store,
    text: 'AND on_hand + ? >= reserved AND on_hand + ? <= ?',
    mutation: 'AND ? IS NOT NULL AND on_hand + ? <= ?',
    noticedBy: [embedded('stock', 'adjusting the stock never goes below what is reserved')],
  },
  {
    guard: 'a count of the stock has the version that was read in its WHERE',
    file: store,
    text: 'WHERE product_id = ? AND version = ? AND reserved <= ?',
    mutation: 'WHERE product_id = ? AND ? IS NOT NULL AND reserved <= ?',
    noticedBy: [
      embedded(
        'stock',
        'setting the stock to what was counted lets one win also when all of them have read before the first one writes',
      ),
    ],
  },
  {
    guard: 'a count of the stock never goes below what is reserved',
    file: store,
    text: 'WHERE product_id = ? AND version = ? AND reserved <= ?',
    mutation: 'WHERE product_id = ? AND version = ? AND ? IS NOT NULL',
    noticedBy: [embedded('stock', 'setting the stock to what was counted never goes below what is reserved')],
  },
  {
    guard: 'an adjustment with a key is one movement',
    file: store,
    text: "derivedId('adjustment', userId, productId, idempotencyKey)",
    mutation: 'newId(at)',
    noticedBy: [
      embedded('stock', 'adjusting the stock happens once for each idempotency key, however often and at once it is sent'),
    ],
  },
  {
    guard: 'the key of an adjustment is refused for another body',
    file: store,
    text: 'if (found.delta !== wanted.delta || found.reason !== wanted.reason)',
    mutation: 'if (found === undefined)',
    noticedBy: [
      embedded('stock', 'adjusting the stock happens once for each idempotency key, however often and at once it is sent'),
    ],
  },
];

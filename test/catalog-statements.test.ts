import { pino } from 'pino';
import { createCatalog } from '../src/modules/catalog/index.ts';
import { listProducts, type ProductQuery } from '../src/modules/catalog/product-list.ts';
import type { Database } from '../src/shared/database.ts';
import { newId } from '../src/shared/identifier.ts';
import { addProducts, type CatalogUnderTest, pieces, startCatalog } from './harness/catalog.ts';
import { noteStatements, type Statement } from './harness/noted-statements.ts';

/** What a statement costs must not grow with the tables: each is looked at as the store plans it. */

let catalog: CatalogUnderTest;
let sent: Statement[];
beforeAll(async () => {
  catalog = await startCatalog();
});
beforeEach(() => {
  sent = [];
});
afterAll(() => catalog.close());

const notedStore = (): Database => noteStatements(catalog.db, sent);

/** How the store finds the rows of each statement: SQLite's words, or MySQL's table, access and index. */
async function plans(): Promise<readonly string[]> {
  const { db } = catalog;
  const found = await Promise.all(
    sent.map(async ({ sql, params }) => {
      if (db.dialect === 'sqlite')
        return (await db.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, params)).map(({ detail }) => detail);
      const rows = await db.rows<{ table: string; type: string; key: string }>(
        `EXPLAIN ${sql.replace(/ FOR UPDATE$/, '')}`,
        params,
      );
      return rows.map(({ table, type, key }) => `${table} ${type} ${key}`);
    }),
  );
  return found.flat();
}

it('batches find their rows by primary keys, whatever lies in the tables', async () => {
  if (catalog.db.dialect === 'mysql') return;
  const ids = await addProducts(catalog.db, 40, { stock: 100 });
  const { api } = createCatalog({ db: notedStore(), log: pino({ level: 'silent' }), now: Date.now });
  const reservations = Array.from({ length: 40 }, () => newId());
  await Promise.all(
    reservations.map((id) =>
      api.reserve(
        id,
        ids.flatMap((productId) => pieces(productId)),
      ),
    ),
  );
  await Promise.all(reservations.map((id, n) => (n % 2 === 0 ? api.commit(id) : api.release(id))));
  await Promise.all(reservations.map((id) => api.release(id)));
  await api.reservationStates(reservations);
  await api.forget(reservations);
  expect(sent.length).toBeGreaterThan(30);
  const found = await plans();
  const byKey = /^SEARCH \w+ USING (?:PRIMARY KEY|(?:COVERING )?INDEX sqlite_autoindex_catalog_products_1) \(/;
  expect(
    found.filter(
      (plan) => /^(?:SEARCH|SCAN)/.test(plan) && !byKey.test(plan) && !/^SCAN (?:json_each|\d+-ROW VALUES)/.test(plan),
    ),
  ).toEqual([]);
  expect(found.filter((plan) => plan.includes('TEMP B-TREE'))).toEqual([]);
});

it('what is held for long is found by state and age', async () => {
  await createCatalog({ db: notedStore(), log: pino({ level: 'silent' }), now: Date.now }).api.heldReservations({
    olderThanMs: 1000,
    limit: 10,
  });
  expect((await plans()).join()).toMatch(/catalog_reservations_state/);
});

describe('a page of products', () => {
  beforeAll(() => addProducts(catalog.db, 300, { stock: 1 }));
  const list = async (query: Omit<ProductQuery, 'limit'>) => {
    const page = await listProducts(notedStore(), { limit: 10, ...query });
    if (page.nextCursor !== undefined) sent.length = 0;
    await listProducts(notedStore(), { limit: 10, ...query, cursor: page.nextCursor });
    return (await plans()).join('\n');
  };

  it.each([
    ['name', 'name'],
    ['-name', 'name'],
    ['price', 'price'],
    ['-price', 'price'],
    ['createdAt', 'age'],
    ['-createdAt', 'age'],
  ] as const)('by %s begins where the one before ended', async (sort, index) => {
    const plan = await list({ sort });
    const where =
      catalog.db.dialect === 'mysql'
        ? `catalog_products range catalog_products_${index}`
        : `SEARCH catalog_products USING INDEX catalog_products_${index} (deleted_at=? AND (`;
    expect(plan).toContain(where);
    expect(plan).not.toMatch(/TEMP B-TREE/);
    expect(await list({ sort, category: 'Cups' })).toContain(`catalog_products_category_${index}`);
  });

  it('of one sku is one look-up', async () => {
    expect(await list({ sort: 'name', sku: 'x' })).toMatch(catalog.db.dialect === 'mysql' ? /^null null null/ : /\(live_sku=\?/);
  });

  it('of words that are rare begins with the words', async () => {
    expect(await list({ sort: 'name', q: 'cup' })).toMatch(
      catalog.db.dialect === 'mysql' ? /catalog_search fulltext/ : /SCAN catalog_search_index VIRTUAL TABLE/,
    );
  });
});

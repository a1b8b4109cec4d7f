import { listProducts, type ProductQuery } from '../src/modules/catalog/product-list.ts';
import { sortOrders } from '../src/modules/catalog/product-schema.ts';
import { addProducts, type CatalogUnderTest, pounds, startCatalog } from './harness/catalog.ts';
import { importText } from './harness/importing.ts';
import { noteStatements, type Statement } from './harness/noted-statements.ts';

/** A search costs what a page of it costs, also where nearly all products have the words; and finds the same either way. */

const count = 2500;
let catalog: CatalogUnderTest;
let sent: Statement[] = [];
beforeAll(async () => {
  catalog = await startCatalog();
  const rows = Array.from({ length: count }, (_, number) => {
    const words = ['all', number % 2 === 0 ? 'half' : '', number % 40 === 0 ? 'some' : '', number >= count - 3 ? 'few' : ''];
    const name = `${String((number * 7919) % count).padStart(4, '0')} ${words.filter(Boolean).join(' ')}`;
    return { sku: `SKU-${number}`, name, price: pounds((number * 31) % 97), category: `C${number % 3}` };
  });
  const { text } = await importText(catalog, rows.map((row) => JSON.stringify(row)).join('\n'));
  expect(text).toContain(`"created":${count},`);
});
beforeEach(() => {
  sent = [];
});
afterAll(() => catalog.close());

const searches = () => sent.filter(({ sql }) => /MATCH/.test(sql)).length;

/** All pages, one after the other. */
async function walk(query: Partial<ProductQuery> & { readonly q: string }): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await listProducts(noteStatements(catalog.db, sent), { sort: 'name', limit: 100, ...query, cursor });
    names.push(...page.data.map(({ name }) => name));
    if (page.nextCursor === undefined) return names;
    cursor = page.nextCursor;
  }
}

describe('a search', () => {
  it.each(sortOrders)('by %s goes through each product that has the words once, frequent and rare', async (sort) => {
    const found = async (q: string, more: Pick<Partial<ProductQuery>, 'category'> = {}) =>
      (await walk({ q, sort, ...more })).length;
    expect(await found('all')).toBe(count);
    expect(await found('half all')).toBe(count / 2);
    expect(await found('some')).toBe(Math.ceil(count / 40));
    expect(await found('few')).toBe(3);
    expect(await found('hal', { category: 'C1' })).toBe(416);
    expect(await found('nothing')).toBe(0);
  });

  it('gives the names in their order', async () => {
    const names = await walk({ q: 'half', sort: '-name' });
    expect(names).toEqual(names.toSorted().reverse());
  });

  it('for what many products have never asks for all of them, and for what few have it does', async () => {
    const first = (q: string) => listProducts(noteStatements(catalog.db, sent), { sort: 'name', limit: 20, q });
    await first('all');
    await first('half');
    expect([searches(), sent.length]).toEqual([0, 4]);
    await first('some');
    expect(searches()).toBe(0);
    await first('few');
    expect(searches()).toBe(1);
  });

  it('asks again when a product was edited between the look at its words and the reading', async () => {
    const { db } = catalog;
    let edits = 0;
    const editing = {
      ...db,
      rows: (async (sql, params) => {
        if (sql.includes('catalog_products ON id = wanted') || sql.includes('catalog_products FORCE INDEX (PRIMARY)')) {
          if (edits > 0) return db.rows(sql, params);
          edits += 1;
          const [id] = JSON.parse(String(params?.[0]));
          await catalog.send('patch', `/api/products/${id}`, { headers: { 'If-Match': '"1"' }, body: { name: 'zzzz all' } });
        }
        return db.rows(sql, params);
      }) as typeof db.rows,
    };
    const page = await listProducts(editing, { sort: 'name', limit: 20, q: 'all' });
    expect(edits).toBe(1);
    expect(page.data.map(({ name }) => name)).not.toContain('zzzz all');
    expect(page.data).toHaveLength(20);
  });
});

it('products without words in the search are found by none', async () => {
  await addProducts(catalog.db, 300, { stock: 1 });
  expect(await walk({ q: 'lamp' })).toEqual([]);
});

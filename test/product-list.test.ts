import { newId } from '../src/shared/identifier.ts';
import { addProducts, type CatalogUnderTest, problemOf, startCatalog } from './harness/catalog.ts';

let catalog: CatalogUnderTest;
beforeEach(async () => {
  catalog = await startCatalog();
});
afterEach(() => catalog.close());

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly sku: string;
}
const list = async (query = '') => (await catalog.send('get', `/api/products${query}`, { as: 'nobody' })).body;
const names = async (query: string) => (await list(query)).data.map(({ name }: Listed) => name);

/** Follows the links from page to page. */
async function walk(query: string): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  let path: string | undefined = `/api/products${query}`;
  while (path !== undefined) {
    const { status, body, headers } = await catalog.send('get', path, { as: 'nobody' });
    expect(status).toBe(200);
    found.push(...body.data);
    path = /^<(.*)>; rel="next"$/.exec(headers.link ?? '')?.[1];
    expect(path === undefined).toBe(body.nextCursor === null);
  }
  return found;
}

describe('listing products', () => {
  it('is empty in an empty shop', async () => {
    expect(await list()).toEqual({ data: [], nextCursor: null });
  });

  it('answers whole products, the newest first', async () => {
    const [first, second] = [await catalog.product({ category: 'Cups', attributes: { size: 'L' } }), await catalog.product()];
    const { data } = await list();
    expect(data).toHaveLength(2);
    expect(data).toContainEqual(first);
    expect(data).toContainEqual(second);
  });

  it.each(['name', '-name', 'price', '-price', 'createdAt', '-createdAt'])(
    'walks through all pages by %s, ties included',
    async (sort) => {
      const many = await addProducts(catalog.db, 25, { stock: 0, price: 700 });
      for (const [n, name] of ['b', 'A', 'c', 'a', 'B'].entries())
        await catalog.product({ name, price: { amount: 100 * (n % 3), currency: 'GBP' } });
      const whole = (await list(`?limit=100&sort=${sort}`)).data.map(({ id }: Listed) => id);
      expect(whole).toHaveLength(30);
      expect(new Set(whole)).toEqual(new Set([...many, ...whole]));
      for (const limit of [1, 7, 30]) expect((await walk(`?limit=${limit}&sort=${sort}`)).map(({ id }) => id)).toEqual(whole);
      const opposite = sort.startsWith('-') ? sort.slice(1) : `-${sort}`;
      expect((await list(`?limit=100&sort=${opposite}`)).data.map(({ id }: Listed) => id)).toEqual(whole.toReversed());
    },
  );

  it('sorts names without case and accents, the same on every store', async () => {
    for (const name of [
      'Zebra',
      'éclair',
      'Eclair 2',
      'apple',
      'Ärmel',
      '10 cups',
      '9 cups',
      'ÉCLAIR 1',
      'zèbre',
      'Öl',
      'Straße',
      'Strasse 2',
      '茶',
      'Ωmega',
      'ωmega 2',
    ]) {
      await catalog.product({ name });
    }
    expect(await names('?sort=name&limit=100')).toEqual([
      '10 cups',
      '9 cups',
      'apple',
      'Ärmel',
      'éclair',
      'ÉCLAIR 1',
      'Eclair 2',
      'Öl',
      'Straße',
      'Strasse 2',
      'Zebra',
      'zèbre',
      'Ωmega',
      'ωmega 2',
      '茶',
    ]);
  });

  it('does not repeat or skip a product when others come and go between two pages', async () => {
    const sorted = ['c', 'e', 'g', 'i'];
    for (const name of sorted) await catalog.product({ name });
    const first = await list('?sort=name&limit=2');
    await catalog.product({ name: 'a' });
    await catalog.product({ name: 'h' });
    const { id } = first.data[0];
    await catalog.send('delete', `/api/products/${id}`, { headers: { 'If-Match': '"1"' } });
    expect(await names(`?sort=name&limit=10&cursor=${first.nextCursor}`)).toEqual(['g', 'h', 'i']);
  });
});

describe('filtering', () => {
  it('by category and sku, compared exactly', async () => {
    await catalog.product({ sku: 'a-1', name: 'one', category: 'Cups' });
    await catalog.product({ sku: 'A-1', name: 'two', category: 'cups' });
    await catalog.product({ sku: 'a-11', name: 'three', category: 'Cups' });
    expect(await names('?category=Cups&sort=name')).toEqual(['one', 'three']);
    expect(await names('?category=cups')).toEqual(['two']);
    expect(await names('?category=Cup')).toEqual([]);
    expect(await names('?sku=a-1')).toEqual(['one']);
    expect(await names('?sku=A-1&category=Cups')).toEqual([]);
    expect(await names('?sku=%25')).toEqual([]);
  });

  it('by price, both ends included, in minor units', async () => {
    for (const amount of [0, 99, 100, 101, 1000])
      await catalog.product({ name: `at ${amount}`, price: { amount, currency: 'GBP' } });
    expect(await names('?minPrice=100&sort=price')).toEqual(['at 100', 'at 101', 'at 1000']);
    expect(await names('?maxPrice=100&sort=-price')).toEqual(['at 100', 'at 99', 'at 0']);
    expect(await names('?minPrice=99&maxPrice=101&sort=price&limit=2')).toEqual(['at 99', 'at 100']);
    expect((await walk('?minPrice=99&maxPrice=101&sort=price&limit=1')).map(({ name }) => name)).toEqual([
      'at 99',
      'at 100',
      'at 101',
    ]);
    expect(await names('?minPrice=101&maxPrice=100')).toEqual([]);
  });

  it('keeps its filters in the link to the next page', async () => {
    for (let n = 0; n < 5; n += 1) await catalog.product({ name: `Cup ${n}`, category: 'Cups & more' });
    for (let n = 0; n < 5; n += 1) await catalog.product({ name: `Cup ${n}`, category: 'Other' });
    expect(await walk(`?category=${encodeURIComponent('Cups & more')}&q=cup&limit=2&sort=-price`)).toHaveLength(5);
  });

  it('adds the stock of each product on request', async () => {
    const { id } = await catalog.product({ name: 'a', initialStock: 4 });
    await catalog.product({ name: 'b' });
    await catalog.api.reserve(newId(), [{ productId: id, quantity: 3 }]);
    const { data } = await list('?include=stock&sort=name');
    expect(data.map(({ stock }: { stock: unknown }) => stock)).toEqual([
      { onHand: 4, reserved: 3, available: 1 },
      { onHand: 0, reserved: 0, available: 0 },
    ]);
    expect((await list()).data[0]).not.toHaveProperty('stock');
  });
});

describe('a query that the list does not know', () => {
  it.each([
    'limit=0',
    'limit=101',
    'limit=1e1',
    'limit=',
    'limit=1&limit=2',
    'limit[]=1',
    'sort=sku',
    'sort=',
    'sort=Name',
    'minPrice=-1',
    'minPrice=1.5',
    'maxPrice=10000000000001',
    'maxPrice=99999999999999',
    'include=price',
    'colour=blue',
    'page=2',
    'sku=',
    'category=',
    'q=%ff',
    'cursor=abc',
    'cursor=',
    'include=stock&include=stock',
  ])('%s is refused', async (query) => {
    expect(problemOf(await catalog.send('get', `/api/products?${query}`, { as: 'nobody' }))).toBe('400 malformed');
  });

  it('a cursor belongs to its sort order', async () => {
    for (let n = 0; n < 3; n += 1) await catalog.product();
    const { nextCursor } = await list('?sort=name&limit=1');
    for (const sort of ['-name', 'price', 'createdAt', '-createdAt']) {
      expect(problemOf(await catalog.send('get', `/api/products?sort=${sort}&cursor=${nextCursor}`))).toBe('400 malformed');
    }
    expect(problemOf(await catalog.send('get', `/api/products?cursor=${nextCursor}`))).toBe('400 malformed');
  });

  it('a forged cursor is refused or harmless', async () => {
    await catalog.product();
    const forge = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const value of [
      null,
      [],
      ['-createdAt'],
      ['-createdAt', 5, 'x'],
      ['-createdAt', 'x', 'y'],
      ['-createdAt', '9999999-01-01T00:00:00Z', 'y'],
      ['-createdAt', '2026-02-31T00:00:00Z', newId()],
      ['-createdAt', '2026-02-01T00:00:00Z', "é' OR 1=1"],
    ]) {
      expect(problemOf(await catalog.send('get', `/api/products?cursor=${forge(value)}`))).toBe('400 malformed');
    }
    for (const [sort, key] of [
      ['name', "x' OR 1=1 --"],
      ['name', '\u0000'],
      ['name', '\ud800'],
      ['price', 9_007_199_254_740_991],
      ['-createdAt', '0001-01-01T00:00:00Z'],
      ['-createdAt', '9999-12-31T23:59:59.999Z'],
    ]) {
      const { status } = await catalog.send('get', `/api/products?sort=${sort}&cursor=${forge([sort, key, newId()])}`);
      expect([200, 400]).toContain(status);
    }
  });
});

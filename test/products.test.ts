import { type CatalogUnderTest, problemOf, startCatalog } from './harness/catalog.ts';

let catalog: CatalogUnderTest;
beforeAll(async () => {
  catalog = await startCatalog();
});
afterAll(() => catalog.close());

const ifMatch = (tag: string) => ({ 'If-Match': tag });
const mug = { sku: 'MUG', name: 'Mug', price: { amount: 1299, currency: 'GBP' } };

describe('adding a product', () => {
  it('answers the product, where it is and its version', async () => {
    const body = {
      sku: ' CUP-1 ',
      name: '  Cup of tea ',
      price: { amount: 1299, currency: 'GBP' },
      description: 'Stoneware\n300 ml',
      category: 'Cups',
      attributes: { colour: 'blue' },
      initialStock: 7,
    };
    const { status, body: product, headers } = await catalog.send('post', '/api/products', { body });
    expect(status).toBe(201);
    expect(product).toEqual({
      id: expect.any(String),
      sku: 'CUP-1',
      name: 'Cup of tea',
      price: { amount: 1299, currency: 'GBP' },
      description: 'Stoneware\n300 ml',
      category: 'Cups',
      attributes: { colour: 'blue' },
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(headers).toMatchObject({ location: `/api/products/${product.id}`, etag: '"1"' });
    const read = await catalog.send('get', `/api/products/${product.id}`, { as: 'nobody' });
    expect(read).toMatchObject({ status: 200, body: product, headers: { etag: '"1"' } });
    const { body: stock } = await catalog.send('get', `/api/products/${product.id}/stock`);
    expect(stock).toEqual({ productId: product.id, onHand: 7, reserved: 0, available: 7, version: 1 });
  });

  it('is for staff', async () => {
    expect(problemOf(await catalog.send('post', '/api/products', { as: 'nobody', body: mug }))).toBe('401 unauthenticated');
    expect(problemOf(await catalog.send('post', '/api/products', { as: 'customer', body: mug }))).toBe('403 forbidden');
    expect((await catalog.send('post', '/api/products', { as: 'admin', body: { ...mug, sku: 'BY-ADMIN' } })).status).toBe(201);
  });

  it('refuses a sku that another product has, however many ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => catalog.send('post', '/api/products', { body: { ...mug, sku: 'ONCE' } })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => problemOf(answer) === '409 duplicate')).toHaveLength(9);
  });

  it('tells skus apart that differ in case, in accents or in anything at all', async () => {
    for (const sku of ['abc', 'ABC', 'Abc', 'äbc', 'abc-1', 'abc 1']) {
      expect((await catalog.send('post', '/api/products', { body: { ...mug, sku } })).status).toBe(201);
    }
    const composed = await catalog.send('post', '/api/products', { body: { ...mug, sku: 'a\u0308bc' } });
    expect(problemOf(composed)).toBe('409 duplicate');
  });

  it.each([
    ['no name', { name: undefined }, '/name'],
    ['a blank name', { name: ' \t ' }, '/name'],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, '/name'],
    ['a line end in the name', { name: 'a\nb' }, '/name'],
    ['an empty sku', { sku: '' }, '/sku'],
    ['a sku of 65 characters', { sku: 'x'.repeat(65) }, '/sku'],
    ['a sku with something invisible', { sku: 'A\u200bB' }, '/sku'],
    ['a NUL', { description: 'a\0b' }, '/description'],
    ['a negative price', { price: { amount: -1, currency: 'GBP' } }, '/price/amount'],
    ['a price beyond 10^12', { price: { amount: 1_000_000_000_001, currency: 'GBP' } }, '/price/amount'],
    ['a price with a fraction', { price: { amount: 1.5, currency: 'GBP' } }, '/price/amount'],
    ['a price in a text', { price: { amount: '5', currency: 'GBP' } }, '/price/amount'],
    ['no such currency', { price: { amount: 1, currency: 'ABC' } }, '/price/currency'],
    ['a currency in lower case', { price: { amount: 1, currency: 'gbp' } }, '/price/currency'],
    ['51 attributes', { attributes: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, 'x'])) }, '/attributes'],
    ['a nested attribute', { attributes: { size: { width: '1' } } }, '/attributes/size'],
    ['a long attribute', { attributes: { size: 'x'.repeat(256) } }, '/attributes/size'],
    ['an unknown field', { colour: 'blue' }, '/colour'],
    ['an id', { id: '019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f' }, '/id'],
    ['a version', { version: 5 }, '/version'],
    ['a negative stock', { initialStock: -1 }, '/initialStock'],
  ])('refuses %s', async (_what, change, pointer) => {
    const answer = await catalog.send('post', '/api/products', { body: { ...mug, sku: 'REFUSED', ...change } });
    expect(problemOf(answer)).toBe('422 validation');
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    expect((await catalog.send('get', '/api/products?sku=REFUSED')).body.data).toEqual([]);
  });

  it('takes what is just within the limits', async () => {
    const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`a${n}`, 'x'.repeat(255)]));
    const body = {
      sku: '🍵'.repeat(64),
      name: '🍵'.repeat(200),
      price: { amount: 1_000_000_000_000, currency: 'JPY' },
      attributes,
      description: '🍵'.repeat(10_000),
    };
    const { status, body: product } = await catalog.send('post', '/api/products', { body });
    expect({ status, product }).toMatchObject({ status: 201, product: body });
    expect((await catalog.send('get', `/api/products/${product.id}`)).body).toEqual(product);
  });
});

describe('reading a product', () => {
  it('answers 304 while the known version is current', async () => {
    const { id } = await catalog.product();
    const read = (tag: string) => catalog.send('get', `/api/products/${id}`, { as: 'nobody', headers: { 'If-None-Match': tag } });
    expect(await read('"1"')).toMatchObject({ status: 304, headers: { etag: '"1"' } });
    expect(await read('W/"1"')).toMatchObject({ status: 304 });
    expect(await read('"7"')).toMatchObject({ status: 200 });
    await catalog.send('patch', `/api/products/${id}`, { headers: ifMatch('"1"'), body: { name: 'New' } });
    expect(await read('"1"')).toMatchObject({ status: 200, body: { name: 'New' }, headers: { etag: '"2"' } });
  });

  it('adds the stock on request, under a weak tag that changes with the stock', async () => {
    const { id } = await catalog.product({ initialStock: 5 });
    const first = await catalog.send('get', `/api/products/${id}?include=stock`, { as: 'nobody' });
    expect(first.body.stock).toEqual({ onHand: 5, reserved: 0, available: 5 });
    expect(first.headers.etag).toMatch(/^W\//);
    const headers = { 'If-None-Match': String(first.headers.etag) };
    expect((await catalog.send('get', `/api/products/${id}?include=stock`, { as: 'nobody', headers })).status).toBe(304);
    await catalog.send('post', `/api/products/${id}/stock/adjustments`, { body: { delta: 1, reason: 'found' } });
    const second = await catalog.send('get', `/api/products/${id}?include=stock`, { as: 'nobody', headers });
    expect(second).toMatchObject({ status: 200, body: { version: 1, stock: { onHand: 6 } } });
    const edit = await catalog.send('patch', `/api/products/${id}`, {
      headers: ifMatch(String(second.headers.etag)),
      body: { name: 'x' },
    });
    expect(problemOf(edit)).toBe('412 version-mismatch');
  });

  it('knows 404 and 400', async () => {
    expect(problemOf(await catalog.send('get', '/api/products/019a9c5e-7b1d-7c3a-9f00-2f6f0c1d2e3f', { as: 'nobody' }))).toBe(
      '404 not-found',
    );
    expect(problemOf(await catalog.send('get', '/api/products/5'))).toBe('400 malformed');
    const { id } = await catalog.product();
    expect(problemOf(await catalog.send('get', `/api/products/${id}?include=price`))).toBe('400 malformed');
    expect(problemOf(await catalog.send('get', `/api/products/${id}?fields=name`))).toBe('400 malformed');
  });
});

describe('deleting a product', () => {
  it('hides it everywhere, frees its sku and lets what is held be sold', async () => {
    const { id, sku } = await catalog.product({ name: 'Vanishing', initialStock: 2 });
    const reservationId = '019a9c5e-7b1d-7c3a-9f00-000000000002';
    await catalog.api.reserve(reservationId, [{ productId: id, quantity: 1 }]);
    await catalog.send('get', `/api/products/${id}`, { as: 'nobody' });
    expect(problemOf(await catalog.send('delete', `/api/products/${id}`))).toBe('428 precondition-required');
    expect(problemOf(await catalog.send('delete', `/api/products/${id}`, { headers: ifMatch('"2"') }))).toBe(
      '412 version-mismatch',
    );
    expect((await catalog.send('delete', `/api/products/${id}`, { headers: ifMatch('"1"') })).status).toBe(204);
    for (const path of [`/api/products/${id}`, `/api/products/${id}?include=stock`, `/api/products/${id}/stock`]) {
      expect(problemOf(await catalog.send('get', path, { as: 'nobody' }))).toBe('404 not-found');
    }
    expect(problemOf(await catalog.send('delete', `/api/products/${id}`, { headers: ifMatch('"1"') }))).toBe('404 not-found');
    expect((await catalog.send('get', `/api/products?sku=${sku}`)).body.data).toEqual([]);
    expect((await catalog.send('get', '/api/products?q=vanishing')).body.data).toEqual([]);
    expect(await catalog.api.commit(reservationId)).toBe('committed');
    const again = await catalog.send('post', '/api/products', { body: { ...mug, sku } });
    expect(again.status).toBe(201);
    await expect(
      catalog.api.reserve('019a9c5e-7b1d-7c3a-9f00-000000000003', [{ productId: id, quantity: 1 }]),
    ).rejects.toMatchObject({
      code: 'validation',
      members: { errors: [{ pointer: '/items/0/productId' }] },
    });
  });
});

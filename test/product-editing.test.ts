import { type CatalogUnderTest, problemOf, startCatalog } from './harness/catalog.ts';

let catalog: CatalogUnderTest;
beforeAll(async () => {
  catalog = await startCatalog();
});
afterAll(() => catalog.close());

const ifMatch = (tag: string) => ({ 'If-Match': tag });
const mug = { sku: 'MUG', name: 'Mug', price: { amount: 1299, currency: 'GBP' } };

describe('editing a product', () => {
  it('replaces it whole: what is left out goes', async () => {
    const { id, createdAt } = await catalog.product({ description: 'old', category: 'Old', attributes: { size: 'L' } });
    const body = { sku: 'REPLACED', name: 'Replaced', price: { amount: 1, currency: 'EUR' } };
    const answer = await catalog.send('put', `/api/products/${id}`, { headers: ifMatch('"1"'), body });
    expect(answer).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    expect(answer.body).toEqual({ id, ...body, attributes: {}, version: 2, createdAt, updatedAt: expect.any(String) });
    expect((await catalog.send('get', `/api/products/${id}`)).body).toEqual(answer.body);
  });

  it('patches parts: null takes away, objects merge', async () => {
    const { id } = await catalog.product({
      sku: 'PATCHED',
      description: 'old',
      category: 'Old',
      attributes: { size: 'L', colour: 'red' },
    });
    const patch = { price: { amount: 7 }, description: null, attributes: { size: null, fabric: 'wool' } };
    const answer = await catalog.send('patch', `/api/products/${id}`, {
      headers: { ...ifMatch('"1"'), 'Content-Type': 'application/merge-patch+json' },
      body: patch,
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { sku: 'PATCHED', price: { amount: 7, currency: 'GBP' }, category: 'Old', version: 2 },
    });
    expect(answer.body.attributes).toEqual({ colour: 'red', fabric: 'wool' });
    expect(answer.body).not.toHaveProperty('description');
    const none = await catalog.send('patch', `/api/products/${id}`, {
      headers: ifMatch('"2"'),
      body: { attributes: null, category: null },
    });
    expect(none.body).toMatchObject({ attributes: {}, version: 3 });
    expect((await catalog.send('get', `/api/products/${id}`)).body).toEqual(none.body);
  });

  it.each([
    ['null for a required part', { name: null }, '/name'],
    ['null for the amount', { price: { amount: null } }, '/price/amount'],
    ['a part that is read only', { createdAt: '2026-01-01T00:00:00Z' }, '/createdAt'],
    ['stock', { onHand: 5 }, '/onHand'],
    [
      'too many attributes in sum',
      { attributes: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`a${n}`, 'x'])) },
      '/attributes',
    ],
  ])('refuses a patch with %s', async (_what, body, pointer) => {
    const { id } = await catalog.product({ attributes: { one: '1' } });
    const answer = await catalog.send('patch', `/api/products/${id}`, { headers: ifMatch('"1"'), body });
    expect({ problem: problemOf(answer), pointer: answer.body.errors[0].pointer }).toEqual({
      problem: '422 validation',
      pointer,
    });
    expect((await catalog.send('get', `/api/products/${id}`)).body.version).toBe(1);
  });

  it('wants to know which version was read', async () => {
    const { id } = await catalog.product();
    const put = (headers: Record<string, string>) =>
      catalog.send('put', `/api/products/${id}`, { headers, body: { ...mug, sku: `PUT-${id}` } });
    expect(problemOf(await put({}))).toBe('428 precondition-required');
    expect(problemOf(await put(ifMatch('*')))).toBe('400 malformed');
    expect(problemOf(await put(ifMatch('1')))).toBe('400 malformed');
    expect(problemOf(await put(ifMatch('W/"1"')))).toBe('412 version-mismatch');
    const stale = await put(ifMatch('"7"'));
    expect(problemOf(stale)).toBe('412 version-mismatch');
    expect(stale.body.currentVersion).toBe(1);
    expect((await put(ifMatch('"7", "1"'))).status).toBe(200);
  });

  it('lets one of 50 editors of a version win, and tells the others which version is current', async () => {
    const { id } = await catalog.product();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        catalog.send('patch', `/api/products/${id}`, { headers: ifMatch('"1"'), body: { description: `editor ${n}` } }),
      ),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const lost = answers.filter((answer) => problemOf(answer) === '412 version-mismatch');
    expect(lost).toHaveLength(49);
    expect(lost.every(({ body }) => body.currentVersion === 2)).toBe(true);
    expect((await catalog.send('get', `/api/products/${id}`)).body).toEqual(won[0]?.body);
  });

  it('lets one of 50 editors win although all of them write what is there already', async () => {
    const { id } = await catalog.product({ name: 'Same' });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        catalog.send('patch', `/api/products/${id}`, { headers: ifMatch('"1"'), body: { name: 'Same' } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('refuses the sku of another product', async () => {
    const [one, other] = [await catalog.product(), await catalog.product()];
    const answer = await catalog.send('patch', `/api/products/${one.id}`, { headers: ifMatch('"1"'), body: { sku: other.sku } });
    expect(problemOf(answer)).toBe('409 duplicate');
    const { status } = await catalog.send('patch', `/api/products/${one.id}`, {
      headers: ifMatch('"1"'),
      body: { sku: `${one.sku}-2` },
    });
    expect(status).toBe(200);
    expect((await catalog.send('post', '/api/products', { body: { ...mug, sku: one.sku } })).status).toBe(201);
  });

  it('is seen by anonymous readers from the moment at which it is answered', async () => {
    const { id } = await catalog.product();
    for (let version = 1; version <= 20; version += 1) {
      const reads = Array.from({ length: 5 }, () => catalog.send('get', `/api/products/${id}`, { as: 'nobody' }));
      const edit = await catalog.send('patch', `/api/products/${id}`, {
        headers: ifMatch(`"${version}"`),
        body: { name: `Version ${version + 1}` },
      });
      expect(edit.status).toBe(200);
      const { body } = await catalog.send('get', `/api/products/${id}`, { as: 'nobody' });
      expect(body.name).toBe(`Version ${version + 1}`);
      await Promise.all(reads);
      expect((await catalog.send('get', `/api/products/${id}`, { as: 'nobody' })).body.name).toBe(`Version ${version + 1}`);
    }
  });

  it('does not lose to a sale: stock is a resource of its own', async () => {
    const { id } = await catalog.product({ initialStock: 3 });
    await catalog.api.reserve('019a9c5e-7b1d-7c3a-9f00-000000000001', [{ productId: id, quantity: 1 }]);
    expect((await catalog.send('patch', `/api/products/${id}`, { headers: ifMatch('"1"'), body: { name: 'x' } })).status).toBe(
      200,
    );
  });
});

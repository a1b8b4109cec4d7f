import { setStock } from '../src/modules/catalog/stock-store.ts';
import { newId } from '../src/shared/identifier.ts';
import { catalogFindingsOf } from './harness/audit-findings.ts';
import { addProducts, type CatalogUnderTest, problemOf, startCatalog, userIds } from './harness/catalog.ts';

let catalog: CatalogUnderTest;
beforeAll(async () => {
  catalog = await startCatalog();
});
afterEach(async () => {
  expect(await catalogFindingsOf(catalog.db)).toEqual([]);
});
afterAll(() => catalog.close());

const withStock = async (stock: number) => (await addProducts(catalog.db, 1, { stock }))[0] ?? '';
const stockOf = async (id: string) => (await catalog.send('get', `/api/products/${id}/stock`, { as: 'nobody' })).body;
const adjust = (id: string, change: number | { delta: unknown; reason?: unknown }, headers: Record<string, string> = {}) => {
  const body = typeof change === 'number' ? { delta: change, reason: 'count' } : change;
  return catalog.send('post', `/api/products/${id}/stock/adjustments`, { headers, body });
};
const set = (id: string, onHand: unknown, headers: Record<string, string> = {}) =>
  catalog.send('put', `/api/products/${id}/stock`, { headers, body: { onHand } });
const hold = (id: string, quantity: number) => catalog.api.reserve(newId(), [{ productId: id, quantity }]);

describe('reading the stock', () => {
  it('says what is on hand, reserved and available, under a version of its own', async () => {
    const id = await withStock(5);
    await hold(id, 2);
    const answer = await catalog.send('get', `/api/products/${id}/stock`, { as: 'nobody' });
    expect(answer.body).toEqual({ productId: id, onHand: 5, reserved: 2, available: 3, version: 2 });
    expect(answer.headers.etag).toBe('"2"');
    const known = { 'If-None-Match': '"2"' };
    expect((await catalog.send('get', `/api/products/${id}/stock`, { as: 'nobody', headers: known })).status).toBe(304);
    await hold(id, 1);
    expect((await catalog.send('get', `/api/products/${id}/stock`, { as: 'nobody', headers: known })).status).toBe(200);
  });

  it('knows no stock without its product', async () => {
    expect(problemOf(await catalog.send('get', `/api/products/${newId()}/stock`))).toBe('404 not-found');
    expect(problemOf(await adjust(newId(), 1))).toBe('404 not-found');
    expect(problemOf(await set(newId(), 1, { 'If-Match': '"1"' }))).toBe('404 not-found');
    expect(problemOf(await catalog.send('get', `/api/products/${newId()}/stock/movements`))).toBe('404 not-found');
  });
});

describe('adjusting the stock', () => {
  it('answers the movement and changes the version', async () => {
    const id = await withStock(5);
    const { status, body, headers } = await adjust(id, { delta: -2, reason: ' broken ' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      productId: id,
      kind: 'adjustment',
      delta: -2,
      reason: 'broken',
      createdBy: userIds.staff,
      createdAt: expect.any(String),
    });
    expect(headers).not.toHaveProperty('idempotency-replayed');
    expect(await stockOf(id)).toMatchObject({ onHand: 3, version: 2 });
  });

  it('never goes below what is reserved', async () => {
    const id = await withStock(5);
    await hold(id, 4);
    const answer = await adjust(id, -2);
    expect(problemOf(answer)).toBe('409 out-of-stock');
    expect(answer.body.items).toEqual([{ productId: id, requested: 2, available: 1 }]);
    expect((await adjust(id, -1)).status).toBe(201);
    expect(await stockOf(id)).toMatchObject({ onHand: 4, reserved: 4, available: 0 });
  });

  it('takes as many as there are from many hands at once', async () => {
    const id = await withStock(10);
    const answers = await Promise.all(Array.from({ length: 30 }, () => adjust(id, -1)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter((answer) => problemOf(answer) === '409 out-of-stock')).toHaveLength(20);
    expect(await stockOf(id)).toMatchObject({ onHand: 0 });
  });

  it('is for staff', async () => {
    const id = await withStock(5);
    for (const [method, path, body] of [
      ['post', 'stock/adjustments', { delta: 1, reason: 'x' }],
      ['put', 'stock', { onHand: 1 }],
      ['get', 'stock/movements', undefined],
    ] as const) {
      expect(problemOf(await catalog.send(method, `/api/products/${id}/${path}`, { as: 'customer', body }))).toBe(
        '403 forbidden',
      );
      expect(problemOf(await catalog.send(method, `/api/products/${id}/${path}`, { as: 'nobody', body }))).toBe(
        '401 unauthenticated',
      );
    }
    expect(await stockOf(id)).toMatchObject({ onHand: 5 });
  });

  it.each([
    ['nothing', { delta: 0, reason: 'x' }, '/delta'],
    ['half a piece', { delta: 1.5, reason: 'x' }, '/delta'],
    ['a text', { delta: '1', reason: 'x' }, '/delta'],
    ['more than 10^9 pieces', { delta: 1_000_000_001, reason: 'x' }, '/delta'],
    ['what makes more than 10^9 pieces', { delta: 1_000_000_000, reason: 'x' }, '/delta'],
    ['an empty reason', { delta: 1, reason: '' }, '/reason'],
    ['a reason of 201 characters', { delta: 1, reason: 'x'.repeat(201) }, '/reason'],
    ['no reason', { delta: 1 }, '/reason'],
  ])('refuses %s', async (_what, change, pointer) => {
    const id = await withStock(5);
    const answer = await adjust(id, change);
    expect({ problem: problemOf(answer), pointer: answer.body.errors[0].pointer }).toEqual({
      problem: '422 validation',
      pointer,
    });
    expect(await stockOf(id)).toMatchObject({ onHand: 5, version: 1 });
  });

  it('happens once for each idempotency key, however often and at once it is sent', async () => {
    const id = await withStock(5);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => adjust(id, 3, { 'Idempotency-Key': n % 2 === 0 ? 'delivery-7' : '"delivery-7"' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(19);
    expect(await stockOf(id)).toMatchObject({ onHand: 8 });
    expect(problemOf(await adjust(id, 4, { 'Idempotency-Key': 'delivery-7' }))).toBe('422 idempotency-key-reused');
    expect(problemOf(await adjust(id, { delta: 3, reason: 'other' }, { 'Idempotency-Key': 'delivery-7' }))).toBe(
      '422 idempotency-key-reused',
    );
    expect((await adjust(id, 3, { 'Idempotency-Key': 'delivery-8' })).status).toBe(201);
    expect((await adjust(await withStock(5), 3, { 'Idempotency-Key': 'delivery-7' })).headers).not.toHaveProperty(
      'idempotency-replayed',
    );
    const byAdmin = { as: 'admin', headers: { 'Idempotency-Key': 'delivery-7' }, body: { delta: 3, reason: 'count' } } as const;
    expect((await catalog.send('post', `/api/products/${id}/stock/adjustments`, byAdmin)).headers).not.toHaveProperty(
      'idempotency-replayed',
    );
    expect(await stockOf(id)).toMatchObject({ onHand: 14 });
  });

  it('is answered again under its key although the product is gone by now', async () => {
    const id = await withStock(5);
    const first = await adjust(id, 3, { 'Idempotency-Key': 'before-it-went' });
    expect((await catalog.send('delete', `/api/products/${id}`, { headers: { 'If-Match': '"1"' } })).status).toBe(204);
    const again = await adjust(id, 3, { 'Idempotency-Key': 'before-it-went' });
    expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotency-replayed': 'true' } });
    expect(problemOf(await adjust(id, 3, { 'Idempotency-Key': 'after-it-went' }))).toBe('404 not-found');
  });

  it('does not remember a refusal under its key', async () => {
    const id = await withStock(1);
    const key = { 'Idempotency-Key': 'again' };
    expect(problemOf(await adjust(id, -2, key))).toBe('409 out-of-stock');
    await adjust(id, 1);
    expect((await adjust(id, -2, key)).status).toBe(201);
  });
});

describe('setting the stock to what was counted', () => {
  it('is a new version and a movement of the difference', async () => {
    const id = await withStock(5);
    const answer = await set(id, 3, { 'If-Match': '"1"' });
    expect(answer).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    expect(answer.body).toEqual(await stockOf(id));
    expect(answer.body).toEqual({ productId: id, onHand: 3, reserved: 0, available: 3, version: 2 });
    expect((await set(id, 3, { 'If-Match': '"2"' })).body.version).toBe(3);
    const { body } = await catalog.send('get', `/api/products/${id}/stock/movements`);
    expect(body.data.map(({ kind, delta }: { kind: string; delta: number }) => [kind, delta])).toEqual([
      ['set', -2],
      ['initial', 5],
    ]);
  });

  it('wants to know which version was counted', async () => {
    const id = await withStock(5);
    expect(problemOf(await set(id, 3))).toBe('428 precondition-required');
    expect(problemOf(await set(id, 3, { 'If-Match': '*' }))).toBe('400 malformed');
    await hold(id, 1);
    const stale = await set(id, 3, { 'If-Match': '"1"' });
    expect(problemOf(stale)).toBe('412 version-mismatch');
    expect(stale.body.currentVersion).toBe(2);
    expect(problemOf(await set(id, -1, { 'If-Match': '"2"' }))).toBe('422 validation');
  });

  it('never goes below what is reserved', async () => {
    const id = await withStock(5);
    await hold(id, 4);
    const answer = await set(id, 3, { 'If-Match': '"2"' });
    expect(problemOf(answer)).toBe('409 out-of-stock');
    expect(answer.body.items).toEqual([{ productId: id, requested: 2, available: 1 }]);
    expect((await set(id, 4, { 'If-Match': '"2"' })).body).toMatchObject({ onHand: 4, available: 0 });
  });

  it('lets one of 50 counters of a version win', async () => {
    const id = await withStock(5);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => set(id, 10 + n, { 'If-Match': '"1"' })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => problemOf(answer) === '412 version-mismatch')).toHaveLength(49);
  });

  it('lets one win also when all of them have read before the first one writes', async () => {
    const id = await withStock(5);
    const request = { productId: id, ifMatch: '"1"', userId: userIds.staff };
    const counts = await Promise.allSettled(
      [7, 8, 9].map((onHand) => setStock({ db: catalog.db, now: Date.now }, { ...request, onHand })),
    );
    expect(counts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const lost = counts.filter((result) => result.status === 'rejected');
    expect(lost.map(({ reason }) => reason.code)).toEqual(['version-mismatch', 'version-mismatch']);
  });

  it('and sales at the same time add up', async () => {
    const id = await withStock(1000);
    await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        if (n % 4 === 0) await set(id, 1000 + n, { 'If-Match': `"${(await stockOf(id)).version}"` });
        else if (n % 4 === 1) await adjust(id, n % 8 === 1 ? 3 : -3);
        else {
          const reservationId = newId();
          await catalog.api.reserve(reservationId, [{ productId: id, quantity: 2 }]);
          await (n % 4 === 2 ? catalog.api.commit(reservationId) : catalog.api.release(reservationId));
        }
      }),
    );
    expect(await stockOf(id)).toMatchObject({ reserved: 0 });
  });
});

describe('the ledger', () => {
  it('holds every movement, newest first, in pages', async () => {
    const id = await withStock(5);
    const reservationId = newId();
    await catalog.api.reserve(reservationId, [{ productId: id, quantity: 1 }]);
    await catalog.api.commit(reservationId);
    await catalog.api.release(reservationId);
    for (let n = 1; n <= 7; n += 1) await adjust(id, n);
    const deltas: number[] = [];
    let path: string | undefined = `/api/products/${id}/stock/movements?limit=3`;
    while (path !== undefined) {
      const { body, headers } = await catalog.send('get', path);
      expect(body.data.length).toBeLessThanOrEqual(3);
      deltas.push(...body.data.map(({ delta }: { delta: number }) => delta));
      path = /<(.*)>; rel="next"/.exec(headers.link ?? '')?.[1];
      expect(path === undefined).toBe(body.nextCursor === null);
    }
    expect(deltas).toHaveLength(10);
    expect(deltas.reduce((sum, delta) => sum + delta)).toBe((await stockOf(id)).onHand);
    expect(deltas.at(-1)).toBe(5);
    const { body } = await catalog.send('get', `/api/products/${id}/stock/movements`);
    const kinds = body.data.map(({ kind }: { kind: string }) => kind);
    expect(kinds).toContain('sale');
    expect(kinds).toContain('return');
    expect(body.data.find(({ kind }: { kind: string }) => kind === 'sale')).toMatchObject({ reservationId, delta: -1 });
  });

  it('takes its own cursors only', async () => {
    const id = await withStock(5);
    for (const cursor of [
      'x',
      '',
      'bnVsbA',
      Buffer.from('["name","a","b"]').toString('base64url'),
      Buffer.from('["2026-13-45",1]').toString('base64url'),
    ]) {
      expect(problemOf(await catalog.send('get', `/api/products/${id}/stock/movements?cursor=${cursor}`))).toBe('400 malformed');
    }
  });
});

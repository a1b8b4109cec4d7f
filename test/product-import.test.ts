import { request as openRequest } from 'node:http';
import type { Database, Sql } from '../src/shared/database.ts';
import { createLoadLimiter } from '../src/shared/load-limiter.ts';
import { type CatalogUnderTest, pounds, problemOf, startCatalog, stockOf } from './harness/catalog.ts';
import { eventually } from './harness/eventually.ts';
import { endOf, importText, ndjson, refusalsOf } from './harness/importing.ts';

/** Many products through one request: what is written, what is reported, and what is left of a request that ends in the middle. */

let catalog: CatalogUnderTest;
const changed: string[] = [];
beforeEach(async () => {
  catalog = await startCatalog();
  changed.length = 0;
});
afterEach(() => catalog.close());

const importRows = (...rows: readonly object[]) => importText(catalog, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const mug = (fields: object = {}) => ({ sku: 'MUG', name: 'Mug', price: pounds(500), ...fields });
const bySku = async (sku: string) => (await catalog.send('get', `/api/products?sku=${sku}`)).body.data[0];

describe('importing products', () => {
  it('adds them as they would be added one by one, with their stock, its ledger and their words', async () => {
    const described = { description: 'Stoneware', category: 'Mugs', attributes: { colour: 'blue' }, initialStock: 7 };
    const answer = await importRows(mug(described), { sku: 'CUP', name: '  Cup ', price: pounds(0) });
    expect([answer.status, endOf(answer)]).toEqual([
      200,
      { kind: 'end', complete: true, row: 2, created: 2, updated: 0, unchanged: 0, refused: 0 },
    ]);
    const found = await bySku('MUG');
    const { initialStock: _, ...fields } = described;
    expect(found).toMatchObject({ ...mug(), ...fields, version: 1 });
    expect(await stockOf(catalog, found.id)).toEqual({ onHand: 7, reserved: 0 });
    const { body } = await catalog.send('get', `/api/products/${found.id}/stock/movements`);
    expect(body.data).toMatchObject([{ kind: 'initial', delta: 7, createdBy: expect.any(String) }]);
    expect((await catalog.send('get', '/api/products?q=stoneware')).body.data).toHaveLength(1);
    expect(await bySku('CUP')).toMatchObject({ name: 'Cup', attributes: {} });
  });

  it('replaces a product of the same sku as a whole, but for its stock', async () => {
    const { id } = await catalog.product(mug({ description: 'Old words', category: 'Mugs', initialStock: 3 }));
    await catalog.send('get', `/api/products/${id}`, { as: 'nobody' });
    const answer = await importRows(mug({ name: 'Becher', price: pounds(600), initialStock: 99 }));
    expect(endOf(answer)).toMatchObject({ created: 0, updated: 1 });
    // also from memory, at once
    const { body } = await catalog.send('get', `/api/products/${id}`, { as: 'nobody' });
    expect(body).toMatchObject({ id, name: 'Becher', price: pounds(600), version: 2 });
    expect(body).not.toHaveProperty('description');
    expect(body).not.toHaveProperty('category');
    expect(await stockOf(catalog, id)).toEqual({ onHand: 3, reserved: 0 });
    expect((await catalog.send('get', '/api/products?q=becher')).body.data).toHaveLength(1);
    expect((await catalog.send('get', '/api/products?q=old')).body.data).toHaveLength(0);
  });

  it('changes nothing when it is sent again', async () => {
    const rows = [mug({ initialStock: 5, attributes: { b: '1', a: '2' } }), { ...mug(), sku: 'CUP' }];
    await importRows(...rows);
    const before = await bySku('MUG');
    const sorted = [mug({ initialStock: 5, attributes: { a: '2', b: '1' } }), { ...mug(), sku: 'CUP' }];
    for (const again of [rows, sorted])
      expect(endOf(await importRows(...again))).toMatchObject({ created: 0, updated: 0, unchanged: 2 });
    expect(await bySku('MUG')).toEqual(before);
    expect((await catalog.send('get', `/api/products/${before.id}/stock/movements`)).body.data).toHaveLength(1);
  });

  it('makes an editor who read before lose, and not the import', async () => {
    const { id } = await catalog.product(mug());
    await importRows(mug({ name: 'Imported' }));
    const edit = { headers: { 'If-Match': '"1"' }, body: { name: 'Edited' } };
    expect(problemOf(await catalog.send('patch', `/api/products/${id}`, edit))).toBe('412 version-mismatch');
  });

  it('takes the last of several rows of one sku', async () => {
    const answer = await importRows(mug({ name: 'First', initialStock: 1 }), mug({ name: 'Second', initialStock: 2 }), mug());
    expect(endOf(answer)).toMatchObject({ created: 1, updated: 2 });
    const found = await bySku('MUG');
    expect(found).toMatchObject({ name: 'Mug', version: 3 });
    expect(await stockOf(catalog, found.id)).toMatchObject({ onHand: 1 });
  });

  it('adds a sku anew that a deleted product had', async () => {
    const { id } = await catalog.product(mug());
    await catalog.send('delete', `/api/products/${id}`, { headers: { 'If-Match': '"1"' } });
    expect(endOf(await importRows(mug()))).toMatchObject({ created: 1 });
    expect((await bySku('MUG')).id).not.toBe(id);
  });

  it('reports every row that breaks a rule of a single product, by its number and sku, and keeps the others', async () => {
    const bad: readonly (readonly [string | Buffer, object])[] = [
      [
        '{"sku":"A","name":"x","price":{"amount":1,"currency":"GBP"},"colour":"red"}',
        { sku: 'A', problem: 'validation', errors: [{ pointer: '/colour', detail: 'is not a known field' }] },
      ],
      ['{"sku":"A","sku":"B","name":"x","price":{"amount":1,"currency":"GBP"}}', { problem: 'malformed' }],
      ['{"__proto__":{},"sku":"A","name":"x","price":{"amount":1,"currency":"GBP"}}', { problem: 'malformed' }],
      ['{"sku":"A\\ud800","name":"x","price":{"amount":1,"currency":"GBP"}}', { problem: 'malformed' }],
      ['{"sku":"A","name":"x\\u0000","price":{"amount":1,"currency":"GBP"}}', { problem: 'validation' }],
      ['{"sku":"A","name":"x","price":{"amount":1.5,"currency":"GBP"}}', { problem: 'validation' }],
      ['{"sku":"A"', { problem: 'malformed' }],
      ['[]', { problem: 'validation' }],
      [Buffer.from([0x22, 0xc3, 0x28, 0x22]), { problem: 'malformed', detail: 'The body is not UTF-8.' }],
      [`{"sku":"A","name":"${'x'.repeat(256 * 1024)}"}`, { problem: 'too-large' }],
    ];
    const good = (number: number) => JSON.stringify({ ...mug(), sku: `GOOD-${number}` });
    const lines = bad.flatMap(([line], number) => [Buffer.from(line), Buffer.from(`\n${good(number)}\r\n`)]);
    const answer = await importText(catalog, Buffer.concat([Buffer.from('\ufeff'), ...lines]));
    expect(refusalsOf(answer)).toEqual(
      bad.map(([, refusal], number) => expect.objectContaining({ kind: 'refused', row: 1 + 2 * number, ...refusal })),
    );
    expect(endOf(answer)).toMatchObject({ complete: true, created: bad.length, refused: bad.length });
  });

  it('counts empty lines, and takes the last line without its end', async () => {
    const answer = await importText(catalog, `\n\n${JSON.stringify(mug())}\n \n{"sku":1}`);
    expect(refusalsOf(answer)).toMatchObject([{ row: 5 }]);
    expect(endOf(answer)).toMatchObject({ complete: true, created: 1, row: 3 });
    expect(endOf(await importText(catalog, '\n'))).toMatchObject({ complete: true, created: 0, row: 0 });
  });

  it('writes whole batches only when the client hangs up, and the rest is sent again', async () => {
    const rows = Array.from({ length: 700 }, (_, number) => ({ ...mug(), sku: `SKU-${String(number).padStart(3, '0')}` }));
    const request = openRequest(`${catalog.url}/api/products/import`, {
      method: 'POST',
      headers: { Authorization: 'Bearer staff', 'Content-Type': ndjson },
    });
    request.on('error', () => {});
    request.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const count = async () => (await catalog.db.rows<{ n: number }>('SELECT COUNT(*) AS n FROM catalog_products'))[0]?.n;
    await eventually(async () => expect(await count()).toBe(512));
    const closed = new Promise((resolve) => request.once('close', resolve));
    request.destroy();
    await closed;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await count()).toBe(512);
    expect(endOf(await importRows(...rows))).toMatchObject({ created: 188, unchanged: 512, row: 700 });
  });

  it('lets imports of the same new products at once all come to an end, and adds each product once', async () => {
    const rows = Array.from({ length: 400 }, (_, number) => ({ ...mug(), sku: `SKU-${number}`, initialStock: 1 }));
    const answers = await Promise.all([importRows(...rows), importRows(...rows.toReversed()), importRows(...rows)]);
    expect(answers.map(endOf)).toEqual(answers.map(() => expect.objectContaining({ complete: true, refused: 0 })));
    expect(answers.reduce((sum, answer) => sum + endOf(answer).created, 0)).toBe(400);
    const [row] = await catalog.db.rows('SELECT SUM(delta) AS pieces, COUNT(*) AS movements FROM catalog_stock_movements');
    expect(row).toEqual({ pieces: 400, movements: 400 });
  });

  it('writes a batch again when somebody else has added its skus between its look and its insert', async () => {
    // the embedded store has one writer
    if (catalog.db.dialect === 'sqlite') return;
    const { promise: bothLooked, resolve } = Promise.withResolvers<void>();
    let looks = 0;
    const db: Database = {
      ...catalog.db,
      transaction: (work, options) =>
        catalog.db.transaction(async (tx) => {
          const rows: Sql['rows'] = async (sql, params) => {
            const found = await tx.rows<never>(sql, params);
            if (!sql.includes('live_sku IN')) return found;
            looks += 1;
            if (looks === 2) resolve();
            await bothLooked;
            return found;
          };
          return work({ ...tx, rows });
        }, options),
    };
    const other = await startCatalog({}, { db });
    const lines = JSON.stringify(mug({ initialStock: 4 }));
    const send = () => other.send('post', '/api/products/import', { body: lines, headers: { 'Content-Type': ndjson } });
    const ends = (await Promise.all([send(), send()])).map(endOf);
    expect(ends).toEqual(ends.map(() => expect.objectContaining({ complete: true })));
    expect(ends.reduce((sum, { created, unchanged }) => sum + 10 * created + unchanged, 0)).toBe(11);
    await other.close();
  });

  it('refuses what is no import before it reads it', async () => {
    expect(problemOf(await importText(catalog, '{}', 'application/json'))).toBe('415 unsupported-type');
    expect(problemOf(await importText(catalog, '{}', `${ndjson}; charset=latin1`))).toBe('415 unsupported-type');
    expect(problemOf(await catalog.send('post', '/api/products/import', { headers: { 'Content-Type': ndjson } }))).toBe(
      '400 malformed',
    );
    const compressed = { 'Content-Type': ndjson, 'Content-Encoding': 'gzip' };
    expect(problemOf(await catalog.send('post', '/api/products/import', { body: 'x', headers: compressed }))).toBe(
      '415 unsupported-type',
    );
    const asHtml = { 'Content-Type': ndjson, Accept: 'text/html' };
    expect(problemOf(await catalog.send('post', '/api/products/import', { body: 'x', headers: asHtml }))).toBe(
      '406 not-acceptable',
    );
  });
});

describe('an import that takes long', () => {
  const open = (url: string, path: string, type = ndjson) => {
    const headers = { Authorization: 'Bearer staff', 'Content-Type': type };
    const request = openRequest(`${url}${path}`, { method: 'POST', headers });
    const ended = new Promise<string>((resolve) => {
      request.on('error', () => resolve('cut'));
      request.on('response', (response) => {
        response
          .on('error', () => resolve('cut'))
          .on('end', () => resolve(String(response.statusCode)))
          .resume();
      });
    });
    return { request, ended };
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('may take longer than any other body as long as something comes', async () => {
    const slow = await startCatalog({}, { db: catalog.db }, { bodyTimeoutMs: 500, streamIdleMs: 2000 });
    const single = open(slow.url, '/api/products', 'application/json');
    const many = open(slow.url, '/api/products/import');
    single.request.write('{');
    for (let row = 0; row < 6; row += 1) {
      many.request.write(`${JSON.stringify({ ...mug(), sku: `S-${row}` })}\n`);
      await pause(200);
    }
    many.request.end();
    expect(await Promise.all([single.ended, many.ended])).toEqual(['408', '200']);
    expect((await catalog.send('get', '/api/products')).body.data).toHaveLength(6);
    await slow.close();
  });

  it('is cut when it stands still', async () => {
    const slow = await startCatalog({}, { db: catalog.db }, { streamIdleMs: 300 });
    const { request, ended } = open(slow.url, '/api/products/import');
    request.write(`${JSON.stringify(mug())}\n`);
    expect(await ended).toBe('cut');
    await slow.close();
  });

  it('goes on beside few others only, and makes room when it ends', async () => {
    const limiter = createLoadLimiter({ log: { warn: () => {} } });
    const busy = await startCatalog({}, { db: catalog.db }, { limiter });
    const under = Array.from({ length: 4 }, () => open(busy.url, '/api/products/import'));
    for (const { request } of under) request.write('\n');
    const enter = () => busy.send('post', '/api/products/import', { body: '\n', headers: { 'Content-Type': ndjson } });
    await eventually(async () => expect(problemOf(await enter())).toBe('503 overloaded'));
    for (const { request } of under) request.destroy();
    await eventually(async () => expect((await enter()).status).toBe(200));
    limiter.close();
    await busy.close();
  });
});

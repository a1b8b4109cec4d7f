import { request as openRequest } from 'node:http';
import { type CatalogUnderTest, pounds, problemOf, startCatalog } from './harness/catalog.ts';
import { noteStatements, type Statement } from './harness/noted-statements.ts';

/** All products as a stream, and back again. */

let catalog: CatalogUnderTest;
beforeEach(async () => {
  catalog = await startCatalog();
});
afterEach(() => catalog.close());

const types = ['application/x-ndjson', 'text/csv'] as const;
const exportAs = (type: string, from = catalog) => from.send('get', '/api/products/export', { headers: { Accept: type } });
const importInto = (shop: CatalogUnderTest, text: string, type: string) =>
  shop.send('post', '/api/products/import', { body: text, headers: { 'Content-Type': type } });

const difficult = [
  { sku: 'PLAIN', name: 'Mug' },
  { sku: '=1+1', name: '+1', description: '-2', category: '@x' },
  { sku: "'quoted", name: "''", description: '\t=1', category: '＝1' },
  { sku: 'a,b', name: 'A "big", mug', description: 'one\r\ntwo\nthree ', category: ';|' },
  { sku: 'empty', name: '0', description: '', attributes: { empty: '', '"': ',', z: '1', a: '\\' } },
  { sku: '\u{1f9e6}', name: 'Socken \u{1f9e6} e\u0301', description: ' leading and trailing ' },
  { sku: '\uffee', name: 'before the socks by units, behind them by characters', initialStock: 1_000_000_000 },
  { sku: 'dear', name: 'Yacht', price: { amount: 1_000_000_000_000, currency: 'JPY' }, initialStock: 3 },
];

describe('exporting products', () => {
  it.each(types)('as %s and importing them into an empty shop makes the same export', async (type) => {
    for (const product of difficult) await catalog.product({ price: pounds(1), ...product });
    const { text, headers } = await exportAs(type);
    expect(headers['content-disposition']).toMatch(/^attachment; filename="products\.(?:csv|ndjson)"$/);
    const other = await startCatalog();
    try {
      const report = await importInto(other, text, type);
      expect(report.text).toMatch(new RegExp(`"complete":true,"row":${difficult.length},"created":${difficult.length},`));
      expect((await exportAs(type, other)).text).toBe(text);
      expect(text).not.toBe('');
      // what it is, and not only that it is the same twice
      const listed = (await other.send('get', '/api/products?limit=100&include=stock')).body.data;
      for (const { initialStock = 0, ...product } of difficult)
        expect(listed).toContainEqual(
          expect.objectContaining({
            ...product,
            name: product.name.normalize('NFC'),
            stock: expect.objectContaining({ onHand: initialStock }),
          }),
        );
    } finally {
      await other.close();
    }
  });

  it('into the same shop changes nothing', async () => {
    for (const product of difficult) await catalog.product({ price: pounds(1), ...product });
    const { text } = await exportAs('text/csv');
    expect((await importInto(catalog, text, 'text/csv')).text).toContain(`"unchanged":${difficult.length}`);
  });

  it('puts an apostrophe in front of what a spreadsheet would calculate', async () => {
    await catalog.product({ sku: '=cmd', name: '@SUM(1)' });
    expect((await exportAs('text/csv')).text).toContain("\r\n'=cmd,'@SUM(1),500,GBP,");
  });

  it('leaves out what is deleted, and goes over many pages in the order of the skus', async () => {
    const { id } = await catalog.product({ sku: 'GONE' });
    await catalog.send('delete', `/api/products/${id}`, { headers: { 'If-Match': '"1"' } });
    const rows = Array.from({ length: 1200 }, (_, number) => ({ sku: `S-${number}`, name: 'x', price: pounds(1) }));
    await importInto(catalog, rows.map((row) => JSON.stringify(row)).join('\n'), types[0]);
    const skus = (await exportAs(types[0])).text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).sku);
    expect(skus).toEqual(rows.map(({ sku }) => sku).sort());
  });

  it('answers NDJSON unless CSV is asked for, refuses other forms, and is empty for HEAD and for an empty shop', async () => {
    expect((await exportAs('*/*')).headers['content-type']).toBe('application/x-ndjson');
    expect((await exportAs('text/csv;q=0.5, application/x-ndjson;q=0.1')).headers['content-type']).toContain('text/csv');
    expect(problemOf(await exportAs('application/json'))).toBe('406 not-acceptable');
    const head = await fetch(`${catalog.url}/api/products/export`, {
      method: 'HEAD',
      headers: { Authorization: 'Bearer staff' },
    });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await exportAs('text/csv')).text).toMatch(/^sku,name,[^\r]*\r\n$/);
  });

  it('reads no further than the client does, and stops when he is gone', async () => {
    const sent: Statement[] = [];
    const slow = await startCatalog({}, { db: noteStatements(catalog.db, sent) });
    const rows = Array.from({ length: 9000 }, (_, number) => ({
      ...{ sku: `S-${number}`, name: 'x', price: pounds(1), description: 'x'.repeat(2000) },
    }));
    for (let done = 0; done < rows.length; done += 1000)
      await importInto(
        slow,
        rows
          .slice(done, done + 1000)
          .map((row) => JSON.stringify(row))
          .join('\n'),
        types[0],
      );
    sent.length = 0;
    const request = openRequest(`${slow.url}/api/products/export`, { headers: { Authorization: 'Bearer staff' } });
    request.on('error', () => {});
    request.on('response', (response) => response.on('error', () => {}).pause());
    request.end();
    const pages = () => sent.filter(({ sql }) => sql.includes('live_sku > ?')).length;
    let before = -1;
    while (pages() === 0 || before !== pages()) {
      before = pages();
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    expect(before).toBeLessThan(19);
    request.destroy();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(pages()).toBeLessThanOrEqual(before + 1);
    await slow.close();
  });
});

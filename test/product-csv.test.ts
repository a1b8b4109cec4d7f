import { type CatalogUnderTest, problemOf, startCatalog } from './harness/catalog.ts';
import { endOf, importText, refusalsOf } from './harness/importing.ts';

/** Products in CSV: what its records are, and how far the mistakes of one go. */

let catalog: CatalogUnderTest;
beforeEach(async () => {
  catalog = await startCatalog();
});
afterEach(() => catalog.close());

const csv = 'text/csv';
const bySku = async (sku: string) => (await catalog.send('get', `/api/products?sku=${sku}`)).body.data[0];

describe('importing CSV', () => {
  const header = 'sku,name,priceAmount,priceCurrency,description,category,attributes,initialStock\r\n';

  it('takes the columns in any order, and cells in quotes with line ends, commas and quotes in them', async () => {
    const answer = await importText(
      catalog,
      'name,priceCurrency,sku,priceAmount,attributes,description\r\n"A ""big"", mug",GBP,MUG,500,"{""size"":""9""}","one\r\ntwo"\r\nCup,GBP,CUP,1,,\n',
      `${csv}; charset=utf-8; header=present`,
    );
    expect(endOf(answer)).toMatchObject({ created: 2, refused: 0 });
    expect(await bySku('MUG')).toMatchObject({ name: 'A "big", mug', attributes: { size: '9' }, description: 'one\r\ntwo' });
    expect(await bySku('CUP')).not.toHaveProperty('description');
  });

  it('reports bad records by their number, and keeps those around them', async () => {
    const good = (sku: string) => `${sku},Good,1,GBP,,,,\r\n`;
    const bad = [
      'A,5" pipe,1,GBP,,,,\r\n',
      'A,x,1,GBP\r\n',
      'A,x,1.50,GBP,,,,\r\n',
      'A,x,1,GBP,,,"{""a"":""1"",""a"":""2""}",\r\n',
      ',x,1,GBP,,,,-1\r\n',
      // a quote that is never closed
      `A,"${'x'.repeat(400_000)}\n`,
    ];
    const text = `${header}${bad.map((record, number) => `${good(`G-${number}`)}${record}`).join('')}${good('LAST')}`;
    const answer = await importText(catalog, text, csv);
    expect(refusalsOf(answer)).toMatchObject(
      ['malformed', 'malformed', 'validation', 'malformed', 'validation', 'too-large'].map((problem, number) => ({
        problem,
        row: 2 + 2 * number,
      })),
    );
    expect(await bySku('LAST')).toMatchObject({ name: 'Good' });
    expect(endOf(answer).created).toBe(7);
  });

  it('refuses a header that it does not understand', async () => {
    const answer = await importText(catalog, 'sku,name,name,colour\r\n', csv);
    expect(problemOf(answer)).toBe('422 validation');
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/colour',
      '/name',
      '/priceAmount',
      '/priceCurrency',
    ]);
  });
});

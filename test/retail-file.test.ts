import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readRetailFile } from '../src/commands/retail-file.ts';
import { temporaryFolder } from './child-process.ts';
import { retailFileOf, sampleAmounts } from './harness/retail-sample.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe('an Online Retail file', () => {
  it('is products and orders: cancellations, returns and gifts are none, equal lines add up', async () => {
    const file = await readRetailFile(retailFileOf(folder.path));
    expect({ orders: file.orders.length, lines: file.lines, pieces: file.pieces, total: file.total }).toEqual(sampleAmounts);
    expect(
      file.orders.map(({ invoice, lines }) => [invoice, lines.map(({ product, quantity }) => [product.sku, quantity])]),
    ).toEqual([
      [
        '1001',
        [
          ['85123A@2.55', 10],
          ['71053@0.29', 2],
        ],
      ],
      [
        '1004',
        [
          ['85123a@2.55', 1],
          ['85123A@2.50', 1],
        ],
      ],
      [
        '1006',
        [
          ['71053@0.29', 70_000],
          ['BANK CHARGES@15.00', 1],
        ],
      ],
    ]);
  });

  it('has one product for each code and price, with all the pieces that it sells and a name', async () => {
    const { products } = await readRetailFile(retailFileOf(folder.path));
    expect(products).toEqual([
      { sku: '85123A@2.55', name: 'LANTERN, "WHITE" METAL', price: 255, pieces: 10 },
      { sku: '71053@0.29', name: 'LAMP', price: 29, pieces: 70_002 },
      { sku: '85123a@2.55', name: 'Article 85123a@2.55', price: 255, pieces: 1 },
      { sku: '85123A@2.50', name: 'LANTERN', price: 250, pieces: 1 },
      { sku: 'BANK CHARGES@15.00', name: 'Bank Charges', price: 1500, pieces: 1 },
    ]);
  });

  it('gives codes that are no sku of the shop one of their own', async () => {
    const codes = ['x'.repeat(80), 'y'.repeat(80), ' padded', 'padded', 'tab\there'];
    const rows = codes.map((code, index) => `${index},${code},THING,1,2010-12-01 08:26:00,1.5,,France`);
    const { products } = await readRetailFile(retailFileOf(folder.path, rows));
    expect(new Set(products.map(({ sku }) => sku)).size).toBe(codes.length);
    for (const { sku } of products) expect(sku).toMatch(/^[\x21-\x7e]{1,64}$/);
  });

  it('goes by its content, not by how it was packed', async () => {
    const first = await readRetailFile(retailFileOf(folder.path));
    const again = await readRetailFile(retailFileOf(folder.path));
    const other = await readRetailFile(retailFileOf(folder.path, ['1,A,THING,1,2010-12-01 08:26:00,1.5,,France']));
    expect(again.digest).toBe(first.digest);
    expect(other.digest).not.toBe(first.digest);
  });

  it.each([
    ['1,A,THING,1,2010-12-01 08:26:00,1.505,,France', /line 2: UnitPrice "1.505"/],
    ['1,A,THING,1,2010-12-01 08:26:00,1e3,,France', /line 2: UnitPrice "1e3"/],
    ['1,A,THING,1.5,2010-12-01 08:26:00,1.5,,France', /line 2: Quantity "1.5"/],
    ['1,A,THING', /Invalid Record Length/],
  ])('with the row %s is refused, and the line named', async (row, message) => {
    await expect(readRetailFile(retailFileOf(folder.path, [row]))).rejects.toThrow(message);
  });

  it('has to be one', async () => {
    const path = join(folder.path, 'other.gz');
    writeFileSync(path, gzipSync('a,b\n1,2\n'));
    await expect(readRetailFile(path)).rejects.toThrow(/first line/);
    writeFileSync(path, 'no gzip');
    await expect(readRetailFile(path)).rejects.toThrow(/header/);
    await expect(readRetailFile(join(folder.path, 'absent'))).rejects.toThrow(/ENOENT/);
  });

  it('that was cut off is refused', async () => {
    const path = join(folder.path, 'cut.gz');
    writeFileSync(path, gzipSync('x'.repeat(10_000)).subarray(0, -12));
    await expect(readRetailFile(path)).rejects.toThrow(/unexpected end/);
  });
});

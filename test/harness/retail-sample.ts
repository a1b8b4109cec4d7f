import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

/** Three orders over five products, and everything that the real files have beside them. */
export const sampleRows = [
  '1001,85123A,"LANTERN, ""WHITE""  METAL ",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom',
  '1001,71053,LAMP,2,2010-12-01 08:26:00,0.29,17850.0,United Kingdom',
  '1001,85123A,LANTERN,4,2010-12-01 08:26:00,2.55,17850.0,United Kingdom',
  'C1002,85123A,LANTERN,-1,2010-12-01 08:27:00,2.55,17850.0,United Kingdom',
  'C1003,85123A,LANTERN,1,2010-12-01 08:27:00,2.55,17850.0,United Kingdom',
  '1004,85123a,,1,2010-12-01 08:28:00,2.55,,France',
  '1004,85123A,LANTERN,1,2010-12-01 08:28:00,2.5,,France',
  '1005,22139,,-3,2010-12-01 08:29:00,1.25,,United Kingdom',
  '1005,22139,,3,2010-12-01 08:29:00,0.0,,United Kingdom',
  '1006,71053,LAMP,70000,2010-12-01 08:30:00,0.29,,United Kingdom',
  '1006,BANK CHARGES,Bank Charges,1,2010-12-01 08:30:00,15,,United Kingdom',
  'A1007,B,Adjust bad debt,1,2010-12-01 08:31:00,-11062.06,,United Kingdom',
];

export const sampleAmounts = { orders: 3, lines: 6, pieces: 70_015, total: 2_034_613 };

/** `count` orders of one piece each, of three products. */
export function manyRows(count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, index) => `${2000 + index},P${index % 3},THING ${index % 3},1,2010-12-01 08:26:00,1.99,,France`,
  );
}

/** Writes a gzipped file with these rows. Answers its path. */
export function retailFileOf(folder: string, rows: readonly string[] = sampleRows): string {
  const path = join(folder, 'orders.csv.gz');
  writeFileSync(path, gzipSync(`${[header, ...rows].join('\n')}\n`));
  return path;
}

import { z } from 'zod';
import { problems } from '../../shared/failure.ts';
import { createProductBody } from './product-schema.ts';

/** The schemas of the import's report, and of one line of what goes in and comes out. */

const count = z.int().min(0);
const totals = {
  created: count,
  updated: count,
  unchanged: count.meta({ description: 'Products that were like this already: they keep their version' }),
  refused: count,
};
const codes = Object.keys(problems) as [string, ...string[]]; // there are problems
const problem = z.enum(codes).meta({ description: 'The slug of `/problems/<slug>`' });
const row = z
  .int()
  .min(0)
  .meta({ description: 'NDJSON: the number of the line; CSV: of the record, without the header. From 1' });

const refusedRow = z
  .strictObject({
    kind: z.literal('refused'),
    row,
    sku: z.string().optional(),
    problem,
    detail: z.string().optional(),
    errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'ImportRefusal' });

const progress = z
  .strictObject({
    kind: z.literal('progress'),
    row: row.meta({ description: 'All rows up to here are durable or refused' }),
    ...totals,
  })
  .meta({ id: 'ImportProgress' });

const end = z
  .strictObject({
    kind: z.literal('end'),
    complete: z.boolean().meta({ description: '`false`: only the rows up to `row` were imported; send the rest, or all, again' }),
    row,
    ...totals,
    problem: problem.optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'ImportEnd' });

export const reportLine = z
  .discriminatedUnion('kind', [refusedRow, progress, end])
  .meta({ id: 'ImportReportLine', description: 'One line of the report; the last one is of the kind `end`' });

export type ReportLine = z.infer<typeof reportLine>;
export type RefusedRow = z.infer<typeof refusedRow>;
export type ImportTotals = Pick<z.infer<typeof end>, 'created' | 'updated' | 'unchanged' | 'refused'>;

export const ndjson = 'application/x-ndjson';
export const csv = 'text/csv';

/** The columns of a product in CSV. */
export const csvColumns = [
  'sku',
  'name',
  'priceAmount',
  'priceCurrency',
  'description',
  'category',
  'attributes',
  'initialStock',
] as const;
export type CsvColumn = (typeof csvColumns)[number];

export const productLines = {
  [ndjson]: createProductBody,
  [csv]: z.string().meta({
    description: `A header and records (RFC 4180) with the columns ${csvColumns.join(', ')}`,
    example: 'sku,name,priceAmount,priceCurrency\r\nMUG-BLUE,Blue mug,1299,GBP\r\n',
  }),
};

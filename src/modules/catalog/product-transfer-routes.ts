import { type Route, route } from '../../shared/route.ts';
import { openProductRows, type ProductRow } from './product-rows.ts';
import { csv, ndjson, productLines, type ReportLine, reportLine } from './product-transfer-schema.ts';

export interface ProductTransferDependencies {
  readonly importRows: (rows: AsyncIterable<readonly ProductRow[]>, createdBy: string) => AsyncIterable<readonly ReportLine[]>;
  readonly exportAs: (type: string) => AsyncIterable<string>;
}

const shared = { access: 'staff', quota: 'staff', shedding: 'stream', tag: 'Products' } as const;

/** HTTP ↔ many products at once, as streams in both directions. */
export function productTransferRoutes({ importRows, exportAs }: ProductTransferDependencies): readonly Route[] {
  return [
    route({
      ...shared,
      method: 'post',
      path: '/api/products/import',
      operationId: 'importProducts',
      summary: 'Add and replace many products',
      description:
        'One product a line (NDJSON) or record (CSV), found by its sku: a new one is added, another one is replaced as a whole. `initialStock` counts for new ones only. A row that breaks a rule is reported and left out. The report comes while the rows go in, so read it meanwhile; whoever is cut off sends the rows behind the last `row` again, or all.',
      streams: productLines,
      replies: { 200: { description: 'The report, line by line', streams: { [ndjson]: reportLine } } },
      problems: ['not-acceptable'],
      handle: async ({ stream, principal }) => {
        const report = importRows(await openProductRows(stream), principal.userId);
        return { status: 200, stream: { type: ndjson, texts: linesOf(report) } };
      },
    }),
    route({
      ...shared,
      method: 'get',
      path: '/api/products/export',
      operationId: 'exportProducts',
      summary: 'Read all products, to import them elsewhere',
      description:
        'In the order of their skus, in the form of the import; `initialStock` is what is on hand. In CSV a text that a spreadsheet could take for a formula has an apostrophe in front, which the import takes away.',
      replies: {
        200: {
          description: 'The products, line by line',
          streams: productLines,
          headers: { 'Content-Disposition': 'A name for the file' },
        },
      },
      problems: ['not-acceptable'],
      handle: async ({ accepted }) => ({
        status: 200,
        stream: { type: accepted === csv ? `${csv}; charset=utf-8; header=present` : ndjson, texts: exportAs(accepted) },
        headers: { 'Content-Disposition': `attachment; filename="products.${accepted === csv ? 'csv' : 'ndjson'}"` },
      }),
    }),
  ];
}

async function* linesOf(report: AsyncIterable<readonly ReportLine[]>): AsyncGenerator<string> {
  for await (const lines of report) yield lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

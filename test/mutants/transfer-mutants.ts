import { embedded, type Mutant, services } from './mutant.ts';

const importing = 'src/modules/catalog/product-import.ts';
const batch = 'src/modules/catalog/import-batch.ts';
const columns = 'src/modules/catalog/product-columns.ts';
const stream = 'src/shared/http-stream.ts';
const records = 'src/shared/records.ts';
const csv = 'src/shared/csv.ts';
const story = (name: string) => `importing products ${name}`;
const field = (name: string, fact: string) => `the field ${name} of a product as text/csv ${fact}`;
const reason = 'is reason enough to update a product, once, and to take it away again';
const badRows = story('reports every row that breaks a rule of a single product, by its number and sku, and keeps the others');
const badRecords = 'importing CSV reports bad records by their number, and keeps those around them';
const roundTrip = 'exporting products as text/csv and importing them into an empty shop makes the same export';

/** What many products at once must not do to each other, to the stock, or to the process. */
export const transferMutants: readonly Mutant[] = [
  {
    guard: 'a page that was read ahead in vain does not end the process',
    file: 'src/modules/catalog/product-export.ts',
    text: 'page.catch(() => {});',
    mutation: '',
    noticedBy: [
      embedded(
        'export-reads-ahead',
        'the page that an export reads ahead harms nobody when it can not be read and the client has left',
      ),
    ],
  },
  {
    guard: 'the rows behind the last whole batch are left alone when a body ends early',
    file: stream,
    text: "if (!request.complete) throw new Failure('malformed', { detail: 'The body ended early.', cause });",
    mutation: 'void cause;',
    noticedBy: [
      embedded('product-import', story('writes whole batches only when the client hangs up, and the rest is sent again')),
      services('product-import', story('writes whole batches only when the client hangs up, and the rest is sent again')),
    ],
  },
  {
    guard: 'a sku comes once in a batch',
    file: importing,
    text: ' || products.has(sku);',
    mutation: ';',
    noticedBy: [embedded('product-import', story('takes the last of several rows of one sku'))],
  },
  {
    guard: 'a batch whose sku somebody else has added meanwhile is written again',
    file: importing,
    text: 'const passing = isDuplicateKey(error) || ',
    mutation: 'const passing = ',
    noticedBy: [
      services(
        'product-import',
        story('writes a batch again when somebody else has added its skus between its look and its insert'),
      ),
    ],
  },
  {
    guard: 'an imported product that is like this already keeps its version',
    file: batch,
    text: 'else if (differs(product, from)) changed',
    mutation: 'else changed',
    noticedBy: [embedded('product-import', story('changes nothing when it is sent again'))],
  },
  {
    guard: 'an import makes the copies in memory go out of date',
    file: importing,
    text: 'onChanged(id, version);',
    mutation: 'void id, version, onChanged;',
    noticedBy: [embedded('product-import', story('replaces a product of the same sku as a whole, but for its stock'))],
  },
  {
    guard: 'an import raises the versions of what it replaces, on SQLite',
    file: batch,
    text: ', version = p.version + 1, updated_at = ?2',
    mutation: ', updated_at = ?2',
    noticedBy: [embedded('product-import', story('makes an editor who read before lose, and not the import'))],
  },
  {
    guard: 'an import raises the versions of what it replaces, on MySQL',
    file: batch,
    text: ', p.version = p.version + 1, p.updated_at = ?',
    mutation: ', p.updated_at = ?',
    noticedBy: [services('product-import', story('makes an editor who read before lose, and not the import'))],
  },
  {
    guard: 'a row of an import is as long as a body at most',
    file: records,
    text: 'const bytes = length > maxBytes ? undefined : ',
    mutation: 'const bytes = ',
    noticedBy: [embedded('product-import', badRows)],
  },
  {
    guard: 'a quote that is never closed does not swallow the rest of an import',
    file: records,
    text: 'if (length > maxBytes) scanner.reset();',
    mutation: '',
    noticedBy: [embedded('product-csv', badRecords)],
  },
  {
    guard: 'a quote in the middle of a cell is a mistake of its record alone',
    file: records,
    text: "if (byte === quote && state !== 'plain') return 'quoted';",
    mutation: "if (byte === quote) return 'quoted';",
    noticedBy: [embedded('product-csv', badRecords)],
  },
  {
    guard: 'what a spreadsheet would calculate is exported with an apostrophe in front',
    file: csv,
    text: "return calculated.test(text) ? `'${text}` : text;",
    mutation: 'return text;',
    noticedBy: [
      embedded('product-export', 'exporting products puts an apostrophe in front of what a spreadsheet would calculate'),
    ],
  },
  {
    guard: 'an import takes the apostrophe of an export away',
    file: csv,
    text: `return text.startsWith("'") && calculated.test(text.slice(1)) ? text.slice(1) : text;`,
    mutation: 'return text;',
    noticedBy: [embedded('product-export', roundTrip)],
  },
  {
    guard: 'the order of attributes makes no difference to an import',
    file: batch,
    text: 'sortedText(columns.attributes) !== sortedText(from.attributes)',
    mutation: 'columns.attributes !== from.attributes',
    noticedBy: [embedded('product-import', 'importing products changes nothing when it is sent again')],
  },
  {
    guard: 'a product that differs in any field is no unchanged one',
    file: batch,
    text: ': columns[name] !== from[name],',
    mutation: ': columns.name !== from.name,',
    noticedBy: [embedded('product-fields', field('price.amount', reason)), services('product-fields', field('category', reason))],
  },
  {
    guard: 'an import writes all fields of a product that is there already',
    file: columns,
    text: '    description: description ?? null,\n',
    mutation: '    description: null,\n',
    noticedBy: [embedded('product-fields', field('description', reason))],
  },
  {
    guard: 'a list of rows carries texts of any length to MySQL',
    file: columns,
    text: "const text = 'MEDIUMTEXT ",
    mutation: "const text = 'VARCHAR(50) ",
    noticedBy: [
      services('product-fields', 'the field name of a product may be as long as its rule allows, created, edited and imported'),
    ],
  },
  {
    guard: 'a cell of CSV stands under the name of its column',
    file: 'src/modules/catalog/product-export.ts',
    text: 'csvColumns.map((column) => cells[column])',
    mutation: 'Object.values(cells).toReversed()',
    noticedBy: [embedded('product-export', roundTrip)],
  },
  {
    guard: 'an export waits for its reader',
    file: stream,
    text: "if (text !== '' && !response.write(text)) await writable(response);",
    mutation: 'response.write(text);',
    noticedBy: [
      embedded('product-export', 'exporting products reads no further than the client does, and stops when he is gone'),
    ],
  },
  {
    guard: 'the body of an import may take as long as it takes',
    file: stream,
    text: 'liftBodyLimit(request);',
    mutation: '',
    noticedBy: [
      embedded('product-import', 'an import that takes long may take longer than any other body as long as something comes'),
    ],
  },
  {
    guard: 'any other body has to be in after 15 s',
    file: 'src/shared/http-server.ts',
    text: 'limitBody(server, request, bodyTimeoutMs);',
    mutation: 'void limitBody, bodyTimeoutMs;',
    noticedBy: [
      embedded('product-import', 'an import that takes long may take longer than any other body as long as something comes'),
    ],
  },
  {
    guard: 'a stream that stands still is cut',
    file: 'src/shared/http-mount.ts',
    text: 'request.socket.setTimeout(streamIdleMs);',
    mutation: '',
    noticedBy: [embedded('product-import', 'an import that takes long is cut when it stands still')],
  },
  {
    guard: 'few imports and exports run at once',
    file: 'src/shared/load-limiter.ts',
    text: "if (shedding === 'stream') return streams;",
    mutation: "if (shedding === 'stream') return unlimited;",
    noticedBy: [
      embedded('product-import', 'an import that takes long goes on beside few others only, and makes room when it ends'),
    ],
  },
  {
    guard: 'a batch of an import is small',
    file: importing,
    text: ' || characters >= mostCharacters',
    mutation: ' || characters < 0',
    noticedBy: [
      embedded(
        'transfer-memory',
        'an import takes the same memory for 130 MB as for 10, and tells how far it is while more comes in',
      ),
    ],
  },
  {
    guard: 'what was edited between the look at its words and the reading is looked for again',
    file: 'src/modules/catalog/word-walk.ts',
    text: 'byId.get(id)?.version === version ? ',
    mutation: 'version > 0 ? ',
    noticedBy: [
      embedded('frequent-words', 'a search asks again when a product was edited between the look at its words and the reading'),
    ],
  },
  {
    guard: 'words that many products have are found in the order of the page',
    file: 'src/modules/catalog/word-walk.ts',
    text: 'const sampleRows = 200;',
    mutation: 'const sampleRows = 1;',
    noticedBy: [
      embedded(
        'frequent-words',
        'a search for what many products have never asks for all of them, and for what few have it does',
      ),
    ],
  },
];

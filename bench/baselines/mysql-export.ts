import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { json } from 'node:stream/consumers';
import mysql from 'mysql2';

/** By hand: one SELECT, streamed as NDJSON in the form of the shop's export, without accounts, limits or a deadline. */
const charactersPerWrite = 64 * 1024;
const rowsAhead = 1000;

interface ExportedRow {
  readonly sku: string;
  readonly name: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly category: string;
  /** JSON already */
  readonly attributes: string;
  readonly onHand: number;
}

const { database } = (await json(process.stdin)) as { database: string };
const pool = mysql.createPool({ uri: database });
const select = `SELECT p.sku, p.name, p.price_amount AS amount, p.price_currency AS currency, p.description, p.category, p.attributes,
    s.on_hand AS onHand
  FROM catalog_products p JOIN catalog_stock s ON s.product_id = p.id WHERE p.live_sku IS NOT NULL ORDER BY p.live_sku`;

const server = createServer((_request, response) => {
  response.setHeader('Content-Type', 'application/x-ndjson');
  pipeline(pool.query(select).stream({ highWaterMark: rowsAhead }), linesOf, response, (error) => {
    if (error) process.stderr.write(`${error.message}\n`);
  });
}).listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify(server.address())}\n`);
});

async function* linesOf(rows: AsyncIterable<ExportedRow>): AsyncGenerator<string> {
  let text = '';
  for await (const { sku, name, amount, currency, description, category, attributes, onHand } of rows) {
    const head = JSON.stringify({ sku, name, price: { amount, currency }, description, category });
    text += `${head.slice(0, -1)},"attributes":${attributes},"initialStock":${onHand}}\n`;
    if (text.length < charactersPerWrite) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

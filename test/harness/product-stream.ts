import { once } from 'node:events';
import { type IncomingMessage, request as openRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface StreamTo {
  readonly url: string;
  readonly token: string;
}

/** A product as it is imported, by its number, of the size that products usually have. */
export function numberedProduct(number: number): string {
  const word = words[number % words.length];
  return `{"sku":"SKU-${String(number).padStart(8, '0')}","name":"${word} number ${number}","price":{"amount":${100 + (number % 9000)},"currency":"GBP"},"description":"A ${word} of the usual kind, for every day","category":"Category ${number % 50}","attributes":{"colour":"blue","size":"${number % 40}"},"initialStock":${1 + (number % 100)}}\n`;
}

const words = ['lamp', 'chair', 'table', 'shelf', 'mug', 'plate', 'bowl', 'spoon', 'fork', 'knife'];
const rowsPerChunk = 200;

function* numberedProducts(count: number): Generator<string> {
  for (let first = 0; first < count; first += rowsPerChunk)
    yield Array.from({ length: Math.min(rowsPerChunk, count - first) }, (_, index) => numberedProduct(first + index)).join('');
}

/** Imports so many numbered products through one request. Answers the last line of the report. */
export async function importNumbered({ url, token }: StreamTo, count: number): Promise<Record<string, unknown>> {
  const request = openRequest(`${url}/api/products/import`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-ndjson' },
  });
  const answered = once(request, 'response');
  const sent = pipeline(Readable.from(numberedProducts(count)), request);
  const [response] = (await answered) as [IncomingMessage]; // what the event is about
  let last = '{}';
  for await (const line of createInterface({ input: response })) last = line;
  await sent;
  return JSON.parse(last);
}

/** Reads a whole export and throws it away. Answers how many lines it had. */
export async function readExport({ url, token }: StreamTo, type = 'application/x-ndjson'): Promise<number> {
  const answer = await fetch(`${url}/api/products/export`, { headers: { Authorization: `Bearer ${token}`, Accept: type } });
  let lines = 0;
  for await (const chunk of answer.body ?? []) for (const byte of chunk) if (byte === 0x0a) lines += 1;
  return lines;
}

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as openRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Products by their numbers, which are the order of their skus as well. */
export interface Numbers {
  readonly first: number;
  readonly count: number;
}

/** A product as it is imported and exported, by its number, of the size that products usually have. Ends with a line break. */
export function numberedProduct(number: number): string {
  const word = words[number % words.length];
  return `{"sku":"SKU-${String(number).padStart(8, '0')}","name":"${word} number ${number}","price":{"amount":${100 + (number % 9000)},"currency":"GBP"},"description":"A ${word} of the usual kind, for every day","category":"Category ${number % 50}","attributes":{"colour":"blue","size":"${number % 40}"},"initialStock":${1 + (number % 100)}}\n`;
}

const words = ['lamp', 'chair', 'table', 'shelf', 'mug', 'plate', 'bowl', 'spoon', 'fork', 'knife'];
const rowsPerChunk = 200;

/** The same, many at a time. */
function* numberedProducts({ first, count }: Numbers): Generator<string> {
  for (let done = 0; done < count; done += rowsPerChunk)
    yield Array.from({ length: Math.min(rowsPerChunk, count - done) }, (_, index) => numberedProduct(first + done + index)).join(
      '',
    );
}

/** Imports numbered products through one request. @throws when the report does not end with all of them being new */
export async function importNumbered(
  { url, token }: { readonly url: string; readonly token: string },
  numbers: Numbers,
): Promise<void> {
  const request = openRequest(`${url}/api/products/import`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-ndjson' },
  });
  const answered = once(request, 'response');
  const sent = pipeline(Readable.from(numberedProducts(numbers)), request);
  const [response] = (await answered) as [IncomingMessage]; // what the event is about
  let last = '{}';
  for await (const line of createInterface({ input: response })) last = line;
  await sent;
  const end = JSON.parse(last);
  if (end.kind !== 'end' || !end.complete || end.created !== numbers.count)
    throw new Error(`An import of ${numbers.count} products came to ${response.statusCode}: ${last}`);
}

/** Reads a whole export. @throws when it is not, byte for byte, the products of these numbers */
export async function readExport(url: string, headers: Readonly<Record<string, string>>, numbers: Numbers): Promise<void> {
  const answer = await fetch(url, { headers });
  const found = createHash('sha256');
  let lines = 0;
  for await (const chunk of answer.body ?? []) {
    found.update(chunk);
    for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) lines += 1;
  }
  const problem = problemOfExport({ status: answer.status, lines, sha256: found.digest('hex') }, numbers);
  if (problem !== undefined) throw new Error(problem);
}

export interface ReadExport {
  readonly status: number;
  readonly lines: number;
  readonly sha256: string;
}

/** What is wrong with an export of the products of these numbers, if anything is. */
export function problemOfExport({ status, lines, sha256 }: ReadExport, numbers: Numbers): string | undefined {
  if (status !== 200) return `an export was answered ${status}`;
  if (lines !== numbers.count) return `${numbers.count} products were exported as ${lines} lines`;
  return sha256 === hashOf(numbers) ? undefined : 'the products of an export are not those that were imported';
}

const hashes = new Map<string, string>();

/** Kept, so that only the first export of a run waits for it. */
function hashOf(numbers: Numbers): string {
  const key = `${numbers.first}+${numbers.count}`;
  const known = hashes.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const text of numberedProducts(numbers)) hash.update(text);
  const made = hash.digest('hex');
  hashes.set(key, made);
  return made;
}

import type { Answer, CatalogUnderTest } from './catalog.ts';

export const ndjson = 'application/x-ndjson';

export function importText({ send }: CatalogUnderTest, text: string | Buffer, type = ndjson): Promise<Answer> {
  return send('post', '/api/products/import', { body: text, headers: { 'Content-Type': type } });
}

const linesOf = ({ text }: Answer) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** The last line of a report. */
export const endOf = (answer: Answer) => linesOf(answer).at(-1);
export const refusalsOf = (answer: Answer) => linesOf(answer).filter(({ kind }) => kind === 'refused');

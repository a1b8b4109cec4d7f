import { z } from 'zod';
import { Failure } from './failure.ts';
import type { Reply } from './route.ts';

export interface Page<Item> {
  readonly data: readonly Item[];
  /** opaque; absent on the last page */
  readonly nextCursor?: string;
}

/** The query parameter `limit` of every list: 1 to 100, written in plain digits, 20 when absent. */
export const limitParameter = z
  .string()
  .regex(/^(?:[1-9][0-9]?|100)$/, 'has to be a whole number from 1 to 100')
  .transform(Number)
  .default(20)
  .meta({ description: 'How many entries at most', override: { type: 'integer', minimum: 1, maximum: 100, default: 20 } });

/** The query parameter `cursor`: what `nextCursor` of the page before said. */
export const cursorParameter = z
  .string()
  .max(2048)
  .optional()
  .meta({ description: 'Where to go on: `nextCursor` of the page before' });

/** The schema of a list's answer. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), nextCursor: z.string().nullable().meta({ description: 'null on the last page' }) });
}

/** Cursors are JSON in base64url: opaque for clients, made of the sort key of the last row. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** @throws malformed (400) when the cursor is not one of ours */
export function decodeCursor<Key>(cursor: string | undefined, key: z.ZodType<Key>): Key | undefined {
  if (cursor === undefined) return undefined;
  try {
    return key.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new Failure('malformed', { detail: 'The cursor is not one that this list handed out.', cause });
  }
}

/** 200 with `{data, nextCursor}` and a `Link` to the next page (RFC 8288). */
export function pageReply<Item>(page: Page<Item>, url: string): Reply {
  const body = { data: page.data, nextCursor: page.nextCursor ?? null };
  if (page.nextCursor === undefined) return { status: 200, body };
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const parameters = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  parameters.set('cursor', page.nextCursor);
  return { status: 200, body, headers: { Link: `<${path}?${parameters}>; rel="next"` } };
}

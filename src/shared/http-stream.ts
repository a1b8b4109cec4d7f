import type { Request, Response } from 'express';
import { Failure } from './failure.ts';
import { announcesBody } from './http-body.ts';
import { liftBodyLimit } from './http-body-limit.ts';
import { closeGently } from './http-linger.ts';

/** A body that is read while it comes in, by a route that says so. */
export interface BodyStream {
  /** one of the media types that the route takes */
  readonly type: string;
  /** Read at the pace of whoever iterates, once. @throws malformed when it ends early */
  readonly chunks: AsyncIterable<Buffer>;
}

export const noStream: BodyStream = { type: '', chunks: noChunks() };

const charset = /^[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?(?:;[ \t]*header=present[ \t]*)?$/i;

/**
 * Opens a body of one of these media types, in UTF-8. From here on the idle time of the connection takes the place of the
 * time limits of a request: what goes on may take as long as it takes (docs/decisions/0042).
 * @throws malformed (400) without a body, unsupported-type (415)
 */
export function openBody(request: Request, response: Response, types: readonly string[]): BodyStream {
  const { headers } = request;
  if (!announcesBody(request)) throw new Failure('malformed', { detail: 'A body is needed.' });
  const [sent = '', ...parameters] = (headers['content-type'] ?? '').split(/(?=;)/);
  const type = types.find((known) => known === sent.trim().toLowerCase());
  if (type === undefined || !charset.test(parameters.join('')))
    throw new Failure('unsupported-type', { detail: `The body has to be ${types.join(' or ')} in UTF-8.` });
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
    throw new Failure('unsupported-type', { detail: 'The body has to be sent without a content coding.' });
  liftBodyLimit(request);
  // whoever stops in the middle leaves a connection on which nothing can follow
  closeGently(request, response);
  return { type, chunks: chunksOf(request) };
}

async function* chunksOf(request: Request): AsyncGenerator<Buffer> {
  let cause: unknown;
  try {
    // without an encoding a request yields buffers
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    cause = error;
  }
  if (!request.complete) throw new Failure('malformed', { detail: 'The body ended early.', cause });
}

async function* noChunks(): AsyncGenerator<Buffer> {}

/**
 * Sends the texts as they come, at the pace of the client, and stops asking for more when he is gone.
 * @throws what the texts throw: before the first one the answer can still be a problem document, after it only its end is missing
 */
export async function sendStream(
  { request, response }: { readonly request: Request; readonly response: Response },
  { type, texts }: { readonly type: string; readonly texts: AsyncIterable<string> },
): Promise<void> {
  response.setHeader('Content-Type', type);
  if (request.method === 'HEAD') return void response.end();
  for await (const text of texts) {
    if (response.destroyed) return;
    if (text !== '' && !response.write(text)) await writable(response);
  }
  response.end();
  // what is left of a body that nobody wants is thrown away until the connection ends
  request.resume();
}

function writable(response: Response): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

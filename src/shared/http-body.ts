import type { IncomingMessage } from 'node:http';
import type { RuleViolation } from './failure.ts';
import { Failure, validationFailure } from './failure.ts';
import { JsonRefused, parseStrictJson } from './strict-json.ts';

export const maxBodyBytes = 256 * 1024;

/** `application/json` and, where the route says so, `application/merge-patch+json`; UTF-8 is the only charset (RFC 8259). */
const jsonType = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;
const mergePatchType = /^application\/merge-patch\+json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

/** Does the request announce a body (RFC 9112, section 6)? */
export function announcesBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || announcedBytes(request) > 0;
}

/**
 * Reads a JSON body; undefined when there is none and the route can do without.
 * @throws malformed (400), too-large (413) before anything of an announced size is read, unsupported-type (415),
 *   validation (422) for text with a NUL, which no store keeps faithfully
 */
export async function readJsonBody(
  request: IncomingMessage,
  { optional, mergePatch }: { optional: boolean; mergePatch: boolean },
): Promise<unknown> {
  if (announcedBytes(request) > maxBodyBytes) throw tooLarge();
  if (!announcesBody(request)) return withoutBody(optional);
  checkType(request, mergePatch);
  const bytes = await readBytes(request);
  if (bytes.length === 0) return withoutBody(optional);
  return parseBody(bytes);
}

/** What the bytes of a JSON body say. @throws malformed (400), validation (422) as above */
export function parseBody(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  const value = parseJson(text);
  if (text.includes('\\u0000')) refuseNul(value);
  return value;
}

function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

function withoutBody(optional: boolean): undefined {
  if (!optional) throw new Failure('malformed', { detail: 'A JSON body is needed.' });
  return undefined;
}

function checkType({ headers }: IncomingMessage, mergePatch: boolean): void {
  const type = headers['content-type'] ?? '';
  if (!jsonType.test(type) && !(mergePatch && mergePatchType.test(type))) {
    const wanted = mergePatch ? 'application/json or application/merge-patch+json' : 'application/json';
    throw new Failure('unsupported-type', { detail: `The body has to be ${wanted} in UTF-8.` });
  }
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new Failure('unsupported-type', { detail: 'The body has to be sent without a content coding.' });
  }
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBodyBytes) chunks.push(chunk);
      else reject(tooLarge());
    });
    const endedEarly = () => reject(new Failure('malformed', { detail: 'The body ended early.' }));
    request.once('end', () => {
      // every request closes in the end, and a failure that nobody sees costs its stack
      request.off('close', endedEarly);
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    request.once('close', endedEarly);
    request.once('error', endedEarly);
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws malformed (400) */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Failure('malformed', { detail: 'The body is not UTF-8.', cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (cause) {
    if (cause instanceof JsonRefused) throw new Failure('malformed', { detail: cause.message, cause });
    throw cause;
  }
}

function refuseNul(value: unknown): void {
  const errors: RuleViolation[] = [];
  const look = (part: unknown, pointer: string) => {
    if (typeof part === 'string' && part.includes('\0')) errors.push({ pointer, detail: 'may not hold a NUL character' });
    if (typeof part === 'object' && part !== null) {
      for (const [name, member] of Object.entries(part)) {
        if (name.includes('\0')) errors.push({ pointer, detail: 'may not hold a NUL character in a name' });
        else look(member, `${pointer}/${pointerToken(name)}`);
      }
    }
  };
  look(value, '');
  if (errors.length > 0) throw validationFailure(errors.slice(0, 50));
}

/** One step of a JSON pointer (RFC 6901). */
export function pointerToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function tooLarge(): Failure {
  return new Failure('too-large', { detail: `A body may have at most ${maxBodyBytes} bytes.` });
}

/** How the bytes that a client sends to a store fall into frames: packets of MySQL, requests of HTTP, or as they come. */
export type Protocol = 'mysql' | 'http' | 'bytes';

export interface Framer {
  /** the frames that are whole by now */
  push(chunk: Buffer): readonly Buffer[];
  /** no part of a frame is waiting for the rest */
  isIdle(): boolean;
}

export function createFramer(protocol: Protocol): Framer {
  let waiting: Buffer = Buffer.alloc(0);
  const lengthOf = { mysql: packetLength, http: requestLength, bytes: (bytes: Buffer) => bytes.length }[protocol];
  return {
    isIdle: () => waiting.length === 0,
    push(chunk) {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      const frames: Buffer[] = [];
      for (;;) {
        const length = lengthOf(waiting);
        if (length === 0 || length > waiting.length) return frames;
        frames.push(waiting.subarray(0, length));
        waiting = waiting.subarray(length);
      }
    },
  };
}

const packetHeader = 4;
const unknownLength = 0;

/** Three bytes of length, one that counts (MySQL's client/server protocol). */
function packetLength(bytes: Buffer): number {
  return bytes.length < packetHeader ? unknownLength : packetHeader + bytes.readUIntLE(0, 3);
}

const headEnd = '\r\n\r\n';

/** The AWS SDK names the length of every body. */
function requestLength(bytes: Buffer): number {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return unknownLength;
  const head = bytes.toString('latin1', 0, end);
  return end + headEnd.length + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
}

const comQuery = 0x03;

/** The statement that a packet asks for in one go; undefined for every other packet. */
export function statementOf(packet: Buffer): string | undefined {
  return packet[packetHeader] === comQuery ? packet.toString('utf8', packetHeader + 1) : undefined;
}

/** What a request asks of DynamoDB or SQS, such as `PutItem`. */
export function actionOf(request: Buffer): string {
  return (
    /^x-amz-target: *[^.\r\n]+\.(\w+)/im.exec(request.toString('latin1', 0, Math.max(0, request.indexOf(headEnd))))?.[1] ?? ''
  );
}

/** An answer of HTTP with a body of JSON. */
export function jsonAnswer(status: number, body: object): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(
    [
      `HTTP/1.1 ${status} Refused`,
      'Content-Type: application/x-amz-json-1.0',
      `Content-Length: ${Buffer.byteLength(text)}`,
      'Connection: keep-alive',
      '',
      text,
    ].join('\r\n'),
  );
}

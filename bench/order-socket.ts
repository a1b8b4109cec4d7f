import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

/** A connection of a customer that stays open: one order after the other. */
export interface OrderSocket {
  /** Sends an order of one piece of each product and waits for the whole answer. @throws when the connection breaks */
  place(productIds: readonly string[]): Promise<{ readonly status: string; readonly body: string }>;
  close(): void;
}

const headEnd = '\r\n\r\n';
const lengthHeader = /\r\ncontent-length: (\d+)/i;

/** On a raw socket, because a client of Node's own would take as much of the machine as the server. */
export function openOrderSocket({ port, token }: { readonly port: number; readonly token: string }): OrderSocket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let waiting: PromiseWithResolvers<{ readonly status: string; readonly body: string }> | undefined;
  let broken: Error | undefined;
  let text = '';
  const fail = (error: Error) => {
    broken ??= error;
    waiting?.reject(broken);
    waiting = undefined;
  };
  socket.setEncoding('latin1');
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed a connection')));
  socket.on('data', (chunk: string) => {
    text += chunk;
    const headLength = text.indexOf(headEnd);
    if (headLength === -1) return;
    const bodyStart = headLength + headEnd.length;
    const bodyEnd = bodyStart + Number(lengthHeader.exec(text.slice(0, bodyStart))?.[1] ?? 0);
    if (text.length < bodyEnd) return;
    const answer = { status: text.slice(9, 12), body: text.slice(bodyStart, bodyEnd) };
    text = '';
    const answered = waiting;
    waiting = undefined;
    answered?.resolve(answer);
  });
  return {
    place: (productIds) => {
      if (broken !== undefined) return Promise.reject(broken);
      const sent = Promise.withResolvers<{ readonly status: string; readonly body: string }>();
      waiting = sent;
      const body = `{"items":[${productIds.map((productId) => `{"productId":"${productId}","quantity":1}`).join()}]}`;
      socket.write(
        `POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: ${randomUUID()}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return sent.promise;
    },
    close: () => {
      socket.removeAllListeners('close');
      socket.end();
    },
  };
}

const linesPerOrder = 3;

/** Different products, one of them the hot one if there is one. */
export function chooseProducts({
  productIds,
  hotProductId,
}: {
  readonly productIds: readonly string[];
  readonly hotProductId?: string;
}): readonly string[] {
  const chosen = new Set(hotProductId === undefined ? [] : [hotProductId]);
  while (chosen.size < linesPerOrder) chosen.add(productIds[Math.floor(Math.random() * productIds.length)] ?? '');
  return [...chosen];
}

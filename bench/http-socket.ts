import { connect } from 'node:net';

/** A connection of a client that stays open: one request after the other. */
export interface HttpSocket {
  /** Sends the bytes of a request and waits for the whole answer. @throws when the connection breaks */
  ask(request: string): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpAnswer {
  readonly status: string;
  readonly body: string;
}

const headEnd = '\r\n\r\n';
const lengthHeader = /\r\ncontent-length: (\d+)/i;

/** A raw socket, because a client of Node's own would take as much of the machine as the server. Bodies are told as latin1. */
export function openHttpSocket(port: number): HttpSocket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let waiting: PromiseWithResolvers<HttpAnswer> | undefined;
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
    ask: (request) => {
      if (broken !== undefined) return Promise.reject(broken);
      const sent = Promise.withResolvers<HttpAnswer>();
      waiting = sent;
      socket.write(request, 'latin1');
      return sent.promise;
    },
    close: () => {
      socket.removeAllListeners('close');
      socket.end();
    },
  };
}

/** The bytes of a POST with a JSON body of ASCII. */
export function jsonPost(path: string, headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}

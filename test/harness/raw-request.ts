import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** the whole answer as text, head and body */
  readonly text: string;
  /** whether the server ended the connection */
  readonly closed: boolean;
}

/** Sends bytes as they are and collects what comes back until the server closes, or `waitMs` after the last byte. */
export function rawRequest(port: number, bytes: string | Buffer, waitMs = 500): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (closed: boolean) => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text, closed });
    };
    socket.setTimeout(waitMs, () => finish(false));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => finish(true));
    socket.on('error', (error) => (text === '' ? reject(error) : finish(true)));
    socket.on('connect', () => socket.write(bytes));
  });
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { actionOf, createFramer, jsonAnswer, statementOf } from './faults/frames.ts';
import { type StoreProxy, startStoreProxy } from './faults/store-proxy.ts';

const packet = (sequence: number, payload: Buffer) => {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
};
const query = (sql: string) => packet(0, Buffer.concat([Buffer.from([3]), Buffer.from(sql)]));

describe('frames', () => {
  it('are packets of MySQL, in whatever pieces they come', () => {
    const bytes = Buffer.concat([query('START TRANSACTION'), query('COMMIT'), packet(0, Buffer.from([0x17, 1]))]);
    const framer = createFramer('mysql');
    const frames = [...bytes].flatMap((byte) => framer.push(Buffer.from([byte])));
    expect(frames.map(statementOf)).toEqual(['START TRANSACTION', 'COMMIT', undefined]);
    expect(framer.isIdle()).toBe(true);
  });

  it('are requests of HTTP with their bodies', () => {
    const one = 'POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: 7\r\n\r\n{"a":1}';
    const framer = createFramer('http');
    expect(framer.push(Buffer.from(one.slice(0, 70)))).toEqual([]);
    const frames = framer.push(Buffer.from(one.slice(70) + one));
    expect(frames.map(String)).toEqual([one, one]);
    expect(frames.map(actionOf)).toEqual(['PutItem', 'PutItem']);
  });
});

describe('a proxy in front of a store', () => {
  let received: Buffer[];
  let proxy: StoreProxy;
  let close: () => Promise<void>;

  /** A store that answers everything with its own bytes. */
  beforeEach(async () => {
    received = [];
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.write(chunk);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // it listens on a TCP port
    proxy = await startStoreProxy((server.address() as AddressInfo).port, 'mysql');
    close = async () => {
      await proxy.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    };
  });
  afterEach(() => close());

  const client = async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  /** What happens next: bytes, an error, or nothing for a while. */
  const next = (socket: Socket) =>
    new Promise<Buffer | string | undefined>((resolve) => {
      socket.once('data', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      socket.once('close', () => resolve('closed'));
      setTimeout(resolve, 300, 'silence');
    });

  it('passes bytes on', async () => {
    const socket = await client();
    socket.write(query('SELECT 1'));
    expect(await next(socket)).toEqual(query('SELECT 1'));
    socket.destroy();
  });

  it('cuts before a COMMIT, which the store never sees', async () => {
    proxy.judge = (frame) => (statementOf(frame) === 'COMMIT' ? 'cut before' : 'pass');
    const socket = await client();
    socket.write(query('COMMIT'));
    expect(await next(socket)).toBe('ECONNRESET');
    expect(received).toEqual([]);
  });

  it('cuts after a COMMIT that the store has answered', async () => {
    proxy.judge = (frame) => (statementOf(frame) === 'COMMIT' ? 'cut after' : 'pass');
    const socket = await client();
    socket.write(query('COMMIT'));
    expect(await next(socket)).toBe('ECONNRESET');
    expect(received).toEqual([query('COMMIT')]);
  });

  it('answers in the place of the store', async () => {
    const answer = jsonAnswer(400, { a: 1 });
    proxy.judge = () => ({ answer });
    const socket = await client();
    socket.write(query('SELECT 1'));
    expect(await next(socket)).toEqual(answer);
    expect(received).toEqual([]);
    socket.destroy();
  });

  it('holds everything back until it is let go', async () => {
    const socket = await client();
    await proxy.setMode('hold');
    socket.write(query('SELECT 1'));
    expect(await next(socket)).toBe('silence');
    await proxy.setMode('pass');
    expect(await next(socket)).toEqual(query('SELECT 1'));
    socket.destroy();
  });

  it('refuses, resets what is open, and listens again on the same port', async () => {
    const socket = await client();
    const seen = next(socket);
    await proxy.setMode('refuse');
    expect(await seen).toBe('ECONNRESET');
    await expect(client()).rejects.toThrow('ECONNREFUSED');
    await proxy.setMode('pass');
    (await client()).destroy();
  });

  it('turns answers into noise, or delays them', async () => {
    const socket = await client();
    await proxy.setMode('garble');
    socket.write(query('SELECT 1'));
    const noise = await next(socket);
    expect(noise).toHaveLength(query('SELECT 1').length);
    expect(noise).not.toEqual(query('SELECT 1'));
    await proxy.setMode({ delayMs: 100 });
    const start = performance.now();
    socket.write(query('SELECT 1'));
    expect(await next(socket)).toEqual(query('SELECT 1'));
    expect(performance.now() - start).toBeGreaterThan(90);
    socket.destroy();
  });
});

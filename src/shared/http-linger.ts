import type { IncomingMessage, ServerResponse } from 'node:http';

const lingerMs = 1000;
/** A body that is announced to be this short is on its way already: reading it to the end is cheaper than a new connection. */
const worthReadingBytes = 64 * 1024;

/**
 * For an answer that is sent before the body of its request was read: the connection ends after it, but not at once. A socket
 * closed over unread data is reset, and the reset may overtake the answer (RFC 9112, section 9.6); so the rest is read and
 * thrown away for up to a second.
 */
export function closeGently(request: IncomingMessage, response: ServerResponse): void {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced <= worthReadingBytes) return;
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) return;
  response.setHeader('Connection', 'close');
  const { socket } = request;
  // Node calls this after the last answer of a connection, to close it in both directions
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}

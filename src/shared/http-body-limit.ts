import type { IncomingMessage, Server } from 'node:http';

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/**
 * A body has to be in within `limitMs` after its head. Node's own `requestTimeout` is one for all requests of a server, and
 * some read for longer than that on purpose (docs/decisions/0042); what is too slow ends as it would there.
 */
export function limitBody(server: Server, request: IncomingMessage, limitMs: number): void {
  if (request.headers['transfer-encoding'] === undefined && request.headers['content-length'] === undefined) return;
  const timer = setTimeout(() => {
    if (request.complete || request.destroyed) return;
    const error = Object.assign(new Error('The body did not come in in time.'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    server.emit('clientError', error, request.socket);
  }, limitMs);
  timer.unref();
  timers.set(request, timer);
  const clear = () => clearTimeout(timer);
  request.once('end', clear);
  request.once('close', clear);
}

/** For a request that has a rule of its own. */
export function liftBodyLimit(request: IncomingMessage): void {
  clearTimeout(timers.get(request));
}

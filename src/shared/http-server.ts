import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { closeInOrder, trackConnections } from './close-server.ts';
import { problems } from './failure.ts';
import { limitBody } from './http-body-limit.ts';
import type { HttpMessages } from './http-messages.ts';
import type { Readiness } from './readiness.ts';

/** What one connection may take; the times are in milliseconds. A balancer's idle time (60 s) has to be shorter than ours. */
const limits = {
  headersTimeout: 10_000,
  // bodies have one of their own, which a stream lifts
  requestTimeout: 0,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 70_000,
  maxHeaderSize: 16 * 1024,
  // the front refuses it with a problem document
  requireHostHeader: false,
} as const;
const defaultBodyTimeoutMs = 15_000;
const maxHeadersCount = 100;
const maxConnections = 10_000;
/** connections that wait to be taken; Node's 511 is less than a balancer may send at once */
const backlog = 4096;

export interface HttpServer {
  readonly server: Server;
  /** Resolves to the port once it listens. @throws EADDRINUSE and the like */
  listen(where: { readonly port: number; readonly host: string }): Promise<number>;
  /**
   * Stops without losing a request: not ready at once; goes on serving for `delayMs`, until balancers have noticed, and asks
   * each client to close its connection; then takes no new connection, waits for the requests under way for at most
   * `timeoutMs`, and cuts what is left. Further calls wait for the same end.
   */
  drain(times: { readonly delayMs: number; readonly timeoutMs: number }): Promise<void>;
}

/** A server with explicit limits around the handler. */
export function createHttpServer({
  handler,
  messages,
  readiness,
  log,
  shed = () => false,
  bodyTimeoutMs = defaultBodyTimeoutMs,
}: {
  readonly handler: RequestListener;
  /** what the handler wants requests and responses to be */
  readonly messages: HttpMessages;
  readonly readiness: Readiness;
  readonly log: Logger;
  /** answers what is refused before anything else is done for it; false for the rest */
  readonly shed?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** what a body may take to come in, default 15,000 */
  readonly bodyTimeoutMs?: number;
}): HttpServer {
  const underWay = new Set<ServerResponse>();
  const server = createServer({ ...limits, ...messages }, (request, response) => {
    if (readiness.state() === 'draining') response.setHeader('Connection', 'close');
    limitBody(server, request, bodyTimeoutMs);
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    if (!shed(request, response)) handler(request, response);
  });
  server.maxHeadersCount = maxHeadersCount;
  server.maxConnections = maxConnections;
  server.on('clientError', (error, socket) => refuseUnreadable({ error, socket, log }));
  const sockets = trackConnections(server);
  let drained: Promise<void> | undefined;
  return {
    server,
    listen: ({ port, host }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port, host, backlog }, () => {
          server.removeListener('error', reject);
          // a server that listens on a port has an address with a port
          resolve((server.address() as AddressInfo).port);
        });
      }),
    drain: (times) => {
      drained ??= drain({ ...times, server, sockets, readiness, underWay });
      return drained;
    },
  };
}

async function drain({
  delayMs,
  timeoutMs,
  server,
  sockets,
  readiness,
  underWay,
}: {
  delayMs: number;
  timeoutMs: number;
  server: Server;
  sockets: ReadonlySet<Socket>;
  readiness: Readiness;
  underWay: ReadonlySet<ServerResponse>;
}): Promise<void> {
  readiness.become('draining');
  for (const response of underWay) if (!response.headersSent) response.setHeader('Connection', 'close');
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  await closeInOrder({ server, sockets, underWay, timeoutMs });
}

/** Bytes that Node could not read as a request, or that came too slowly: a short answer, then the end of the connection. */
function refuseUnreadable({ error, socket, log }: { error: NodeJS.ErrnoException; socket: Duplex; log: Logger }): void {
  const status = statusOf(error);
  const requestId = randomUUID();
  const answered = socket.writable && error.code !== 'ECONNRESET' && !answerBegan(socket);
  log.info({ requestId, route: 'none', status, answered, code: error.code }, 'request could not be read');
  if (answered) socket.end(unreadableAnswer(status, requestId), () => socket.destroy());
  else socket.destroy();
}

function statusOf({ code }: NodeJS.ErrnoException): 400 | 408 | 431 {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

/** Node keeps the response that a socket is busy with in a member that its documentation shows how to use for this. */
function answerBegan(socket: Duplex & { readonly _httpMessage?: ServerResponse<IncomingMessage> }): boolean {
  return socket._httpMessage?.headersSent === true;
}

function unreadableAnswer(status: 400 | 408 | 431, instance: string): string {
  // about:blank says no more than the status does (RFC 9457, section 4.2.1)
  const type = status === 400 ? '/problems/malformed' : 'about:blank';
  const title = status === 400 ? problems.malformed.title : STATUS_CODES[status];
  const body = JSON.stringify({ type, title, status, detail: 'The request could not be read.', instance });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${instance}`,
    'X-Content-Type-Options: nosniff',
    "Content-Security-Policy: default-src 'none';frame-ancestors 'none'",
    'Strict-Transport-Security: max-age=31536000; includeSubDomains',
    'Referrer-Policy: no-referrer',
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

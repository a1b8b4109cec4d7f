import { randomUUID } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import cors from 'cors';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { type Answered, logAccess } from './access-log.ts';
import { Failure } from './failure.ts';
import { headerCount, keepState } from './http-state.ts';

/** A handler that needs nothing of Express. */
type PlainHandler = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

const yearSeconds = 31_536_000;
const acceptedRequestId = /^[A-Za-z0-9-]{8,64}$/;

/** The first handler: names the request and sees to it that it is logged when it ends, however it ends. */
export function beginRequest(log: Logger, onAnswered: (answered: Answered) => void): RequestHandler {
  return (request, response, next) => {
    const requestId = requestIdOf(request);
    keepState(response, { requestId, startedAt: performance.now(), address: clientAddress(request.ip) });
    response.setHeader('X-Request-Id', requestId);
    response.once('close', () => onAnswered(logAccess(log, request, response)));
    next();
  };
}

/** The id that the client gave the request, or a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const inbound = headers['x-request-id'];
  return typeof inbound === 'string' && acceptedRequestId.test(inbound) ? inbound : randomUUID();
}

/** An IPv4 client of a socket that takes both looks like IPv6 (RFC 4291, section 2.5.5.2). */
function clientAddress(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** Sets the security headers. */
export function securityHeaders(): PlainHandler {
  const headers = securityHeaderFields();
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

/** The security headers of an API: nothing of an answer may run, load or be framed. Pages set a policy of their own. */
export function securityHeaderFields(): readonly (readonly [string, string])[] {
  return headersOf(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      strictTransportSecurity: { maxAge: yearSeconds, includeSubDomains: true },
      referrerPolicy: { policy: 'no-referrer' },
      xFrameOptions: { action: 'deny' },
      // the front never sets it
      xPoweredBy: false,
    }),
  );
}

/** What a handler sets on every answer alike, asked once. */
function headersOf(handler: PlainHandler): readonly (readonly [string, string])[] {
  const headers: [string, string][] = [];
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.setHeader = (name, value) => {
    headers.push([name, String(value)]);
    return response;
  };
  handler(response.req, response, () => {});
  return headers;
}

/** Listed origins may read answers, without cookies; for all others the headers are absent. */
export function crossOrigin(origins: readonly string[]): PlainHandler {
  const allowed = cors(
    (request: { headers: { origin?: string | undefined } }, done: (error: null, options: cors.CorsOptions) => void) =>
      done(null, origins.includes(request.headers.origin ?? '') ? corsOptions(request.headers.origin ?? '') : { origin: false }),
  );
  return (request, response, next) => {
    if (origins.length > 0) response.appendHeader('Vary', 'Origin');
    if (request.headers.origin === undefined) next();
    else allowed(request, response, next);
  };
}

function corsOptions(origin: string): cors.CorsOptions {
  return {
    origin,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'X-Request-Id'],
    exposedHeaders: [
      'Allow',
      'ETag',
      'Idempotency-Replayed',
      'Link',
      'Location',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'WWW-Authenticate',
      'X-Request-Id',
    ],
    maxAge: 600,
  };
}

/** Refuses what Node lets through although it can be read in two ways. */
export function refuseAmbiguous(): RequestHandler {
  return (request, _response, next) => {
    const hosts = headerCount(request, 'host');
    if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1'))
      throw new Failure('malformed', { detail: 'One Host header is needed.' });
    if (headerCount(request, 'content-type') > 1) throw new Failure('malformed', { detail: 'Content-Type may be sent once.' });
    next();
  };
}

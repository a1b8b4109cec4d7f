import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { text } from 'node:stream/consumers';

export interface ShopRequest {
  readonly method: 'GET' | 'POST';
  /** with the query */
  readonly path: string;
  readonly accessToken?: string;
  readonly idempotencyKey?: string;
  /** JSON-able */
  readonly body?: unknown;
}

export interface ShopAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** undefined when there is none, or none that is JSON */
  readonly body: unknown;
}

export interface ShopConnection {
  /** Sends once; rejects when no whole answer came back. */
  send(request: ShopRequest): Promise<ShopAnswer>;
  /** Closes its connections; who waits for an answer gets a rejection. */
  close(): void;
}

/** A connection on which nothing moves for this long is given up. */
const silenceMs = 30_000;

/** Keeps its connections open between requests: node:http takes half the processor time of fetch, which the shop may use. */
export function openShopConnection(url: URL, maxSockets: number): ShopConnection {
  const secure = url.protocol === 'https:';
  const agent = secure ? new SecureAgent({ keepAlive: true, maxSockets }) : new Agent({ keepAlive: true, maxSockets });
  const start = secure ? httpsRequest : httpRequest;
  const base = url.href.replace(/\/+$/, '');

  return {
    async send({ method, path, accessToken, idempotencyKey, body }) {
      const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const headers = {
        Accept: 'application/json',
        // firewalls refuse who does not say what he is
        'User-Agent': 'shop-replay',
        ...(accessToken !== undefined && { Authorization: `Bearer ${accessToken}` }),
        ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
        ...(payload && { 'Content-Type': 'application/json', 'Content-Length': payload.byteLength }),
      };
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = start(`${base}${path}`, { method, headers, agent, timeout: silenceMs }, resolve);
        sent.on('timeout', () => sent.destroy(new Error(`silent for ${silenceMs / 1000} s`)));
        sent.on('error', reject).end(payload);
      });
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: jsonOf(await text(answer)) };
    },
    close: () => agent.destroy(),
  };
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface ProxiedRequest {
  readonly method: string;
  /** without the query */
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

export interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** `cut before`: the shop never hears of the request; `cut after`: it does its work and nobody hears the answer. */
export type Fault = 'none' | 'cut before' | 'cut after' | CannedAnswer;

/** Stands between a client and the shop and decides for each request what goes wrong. */
export async function startFaultyProxy(shopUrl: string, faultOf: (request: ProxiedRequest) => Fault) {
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const [path = ''] = (request.url ?? '').split('?');
    const method = request.method ?? 'GET';
    const fault = faultOf({ method, path, body: body.toString(), headers: request.headers });
    if (fault === 'cut before') return void request.socket.destroy();
    if (typeof fault === 'object') {
      response.writeHead(fault.status, { 'Content-Type': 'application/json', ...fault.headers });
      return void response.end(JSON.stringify(fault.body));
    }
    const headers = Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name));
    const answer = await fetch(`${shopUrl}${request.url}`, {
      method,
      headers: headers.map(([name, value]) => [name, String(value)] as [string, string]),
      ...(body.length > 0 && { body }),
    });
    const text = await answer.text();
    if (fault === 'cut after') return void request.socket.destroy();
    const kept = [...answer.headers].filter(
      ([name]) => !['connection', 'keep-alive', 'content-length', 'transfer-encoding', 'content-encoding'].includes(name),
    );
    response.writeHead(answer.status, Object.fromEntries(kept));
    response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // listening on a TCP port, so it is no pipe's name
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PathRouter {
  readonly url: string;
  close(): Promise<void>;
}

/** A balancer that routes by path, as one in front of several services does. `targetOf` answers the base URL for a path. */
export async function startPathRouter(targetOf: (path: string) => string): Promise<PathRouter> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const { method, rawHeaders, url = '/' } = request;
    // as they came: a header that was sent twice is the service's to judge
    const onward = httpRequest(targetOf(url) + url, { method, headers: rawHeaders, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
      answer.pipe(response);
    });
    // a service that is gone: nobody knows what became of the request
    onward.on('error', () => request.socket.resetAndDestroy());
    request.pipe(onward);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** Which service answers a path. */
export function serviceOf(path: string): 'auth' | 'catalog' | 'orders' {
  if (/^\/api\/products(?:[/?]|$)/.test(path)) return 'catalog';
  return /^\/api\/(?:orders|auth\/me\/export)(?:[/?]|$)/.test(path) ? 'orders' : 'auth';
}

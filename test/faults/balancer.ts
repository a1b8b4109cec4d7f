import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { lastingPort } from './managed-program.ts';

export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

const connectMs = 1000;
const probe = { everyMs: 250, timeoutMs: 750, falls: 2 } as const;

interface Backend {
  readonly port: number;
  failures: number;
}

/**
 * One address for several processes, connection by connection in turn. A process that does not answer its probe twice in a row
 * gets none, unless that is true of all; one that refuses is passed over.
 */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const backends = ports.map((port): Backend => ({ port, failures: 0 }));
  const sockets = new Set<Socket>();
  let next = 0;
  const inTurn = (): readonly Backend[] => {
    next += 1;
    const turned = backends.map((_, index) => backends[(next + index) % backends.length]).filter((one) => one !== undefined);
    const healthy = turned.filter(({ failures }) => failures < probe.falls);
    return healthy.length > 0 ? healthy : turned;
  };

  const server = createServer(async (client) => {
    sockets.add(client);
    client.on('error', () => undefined).on('close', () => sockets.delete(client));
    client.pause();
    for (const { port } of inTurn()) {
      const backend = await connected(port);
      if (backend === undefined) continue;
      return join(client, backend);
    }
    client.resetAndDestroy();
  });
  const port = await lastingPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const probing = setInterval(() => {
    for (const backend of backends) void look(backend);
  }, probe.everyMs);

  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      clearInterval(probing);
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function look(backend: Backend): Promise<void> {
  const alive = await new Promise<boolean>((resolve) => {
    const options = { host: '127.0.0.1', port: backend.port, path: '/readyz', timeout: probe.timeoutMs, agent: false };
    const asking = request(options, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asking
      .on('timeout', () => asking.destroy())
      .on('error', () => resolve(false))
      .end();
  });
  backend.failures = alive ? 0 : backend.failures + 1;
}

async function connected(port: number): Promise<Socket | undefined> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(undefined);
    }, connectMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once('error', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

function join(client: Socket, backend: Socket): void {
  client.setNoDelay(true);
  for (const [one, other] of [
    [client, backend],
    [backend, client],
  ] as const) {
    one.on('error', () => undefined);
    one.on('close', (hadError) => (hadError ? other.resetAndDestroy() : other.destroySoon()));
    one.pipe(other);
  }
}

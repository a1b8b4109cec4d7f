import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The way from one client to Redis, which may break while Redis is well. */
export interface RedisLink {
  readonly url: string;
  /** the next answer is lost, and its connection with it */
  loseNextAnswer(): void;
  /** ends the connections and refuses new ones */
  cut(): void;
  heal(): void;
  close(): void;
}

export async function startLink(serverUrl: string): Promise<RedisLink> {
  let losesNext = false;
  let isCut = false;
  const sockets = new Set<Socket>();
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const upstream = connect(Number(new URL(serverUrl).port), '127.0.0.1');
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined));
    client.pipe(upstream);
    upstream.on('data', (answer) => {
      if (!losesNext) return void client.write(answer);
      losesNext = false;
      client.destroy();
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // listening on a TCP port, so it is no pipe's name
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    loseNextAnswer: () => {
      losesNext = true;
    },
    cut: () => {
      isCut = true;
      destroyAll();
    },
    heal: () => {
      isCut = false;
    },
    close: () => {
      destroyAll();
      server.close();
    },
  };
}

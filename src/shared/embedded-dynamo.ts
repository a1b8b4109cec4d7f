import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { Agent } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';
import type { Dynamo } from './dynamo.ts';
import { openDynamo } from './dynamo.ts';

/** DynamoDB inside this process; each connection is a client of its own, as a process would have. */
export interface EmbeddedDynamo {
  connect(): Promise<Dynamo>;
  /** ends all connections, then closes the files */
  close(): Promise<void>;
}

/** The one connection that a server needs, which closes the store behind it. */
export async function openEmbeddedDynamo(dataDir: string): Promise<Dynamo> {
  const store = await startEmbeddedDynamo(dataDir);
  const dynamo = await store.connect();
  return {
    ...dynamo,
    close: async () => {
      await dynamo.close();
      await store.close();
    },
  };
}

/**
 * DynamoDB inside this process (dynalite), its data in `<dataDir>/dynamo`. There is no socket: the client's connections are
 * one end of a pair of streams whose other end is handed to dynalite's server, so nothing but this process can reach it.
 * The data survives `kill -9`, not a power cut. One process at a time.
 */
export async function startEmbeddedDynamo(dataDir: string): Promise<EmbeddedDynamo> {
  const folder = join(dataDir, 'dynamo');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { default: dynalite } = await import('dynalite');
  const server = dynalite({ path: folder, createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
  const idle = trackRequests(server);
  const agents = new Set<InProcessAgent>();
  return {
    connect: () => {
      const agent = new InProcessAgent(server);
      agents.add(agent);
      const beforeClose = () => {
        agent.refuseRequests();
        agents.delete(agent);
        return idle();
      };
      return openDynamo({ endpoint: 'http://embedded.invalid', region: 'local', agent, beforeClose });
    },
    close: async () => {
      for (const agent of agents) agent.refuseRequests();
      await idle();
      await closeServer(server);
    },
  };
}

class InProcessAgent extends Agent {
  readonly #server: Server;
  #refusing = false;

  constructor(server: Server) {
    super({ keepAlive: true, maxSockets: 50 });
    this.#server = server;
  }

  /** Later requests fail like those to a server that is gone; dynalite would end the process over them. */
  refuseRequests(): void {
    this.#refusing = true;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  override createConnection(_options: object, callback?: (error: Error | null, stream: Duplex) => void): Duplex | undefined {
    if (this.#refusing) {
      const refusal = Object.assign(new Error('the embedded store is closed'), { code: 'ECONNREFUSED' });
      // Like a failed connection to the network; there is no stream then, whatever the types say.
      queueMicrotask(() => callback?.(refusal, undefined as unknown as Duplex));
      return undefined;
    }
    const [near, far] = duplexPair();
    this.#server.emit('connection', asSocket(far));
    return asSocket(near);
  }

  override keepSocketAlive(): boolean {
    return !this.#refusing;
  }
}

/** Both sides of HTTP call these on a socket; a stream in memory has nothing to set. */
function asSocket(stream: Duplex): Duplex {
  const nothing = () => stream;
  return Object.assign(stream, { setKeepAlive: nothing, setNoDelay: nothing, setTimeout: nothing, ref: nothing, unref: nothing });
}

/** Returns a function that waits until no request is being answered. */
function trackRequests(server: Server): () => Promise<void> {
  let running = 0;
  let waiting: (() => void)[] = [];
  server.on('request', (_request, response) => {
    running += 1;
    response.once('close', () => {
      running -= 1;
      if (running > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    });
  });
  return () =>
    new Promise((resolve) => {
      if (running === 0) resolve();
      else waiting.push(resolve);
    });
}

/** dynalite closes its files after its server has closed, which a server that never listened refuses to do: give it a handle. */
function closeServer(server: Server): Promise<void> {
  Object.assign(server, { _handle: { close: () => undefined } });
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
  });
}

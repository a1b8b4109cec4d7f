import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createFramer, type Protocol } from './frames.ts';
import { lastingPort } from './managed-program.ts';

/**
 * What happens to the bytes between a process and a store.
 * `hold`: connections are taken and nothing moves any more, in either direction; `refuse`: nobody listens;
 * `garble`: what the store answers arrives as noise.
 */
export type ProxyMode = 'pass' | 'hold' | 'refuse' | 'garble' | { readonly delayMs: number };

/**
 * What becomes of one frame on its way to the store. `cut before`: the connection breaks and the store never sees it;
 * `cut after`: the store has answered, the connection breaks and nobody hears the answer; bytes: the answer in the store's place.
 */
export type Verdict = 'pass' | 'cut before' | 'cut after' | { readonly answer: Buffer };

export interface StoreProxy {
  readonly port: number;
  mode(): ProxyMode;
  /** for what is open and for what comes */
  setMode(mode: ProxyMode): Promise<void>;
  /** Resets every open connection. */
  cut(): void;
  /** looks at each frame that is sent to the store; absent: all pass */
  judge: ((frame: Buffer) => Verdict) | undefined;
  close(): Promise<void>;
}

/** What one process reaches its stores through. */
export type Proxies = Readonly<Record<'mysql' | 'redis' | 'dynamo' | 'sqs', StoreProxy>>;

interface Link {
  readonly client: Socket;
  readonly store: Socket;
  /** the next bytes of the store are the answer that must not arrive */
  cutsAnswer: boolean;
}

/** Stands in front of a store that listens on `target`, on a port of its own of this machine. */
export async function startStoreProxy(target: number, protocol: Protocol): Promise<StoreProxy> {
  const port = await lastingPort();
  const links = new Set<Link>();
  let mode: ProxyMode = 'pass';
  let server: Server | undefined;

  const open = (client: Socket) => {
    const link: Link = { client, store: connect({ port: target, host: '127.0.0.1', noDelay: true }), cutsAnswer: false };
    links.add(link);
    client.setNoDelay(true);
    if (mode === 'hold') holdBack(link);
    const frames = createFramer(protocol);
    client.on('data', (chunk: Buffer) => {
      if (proxy.judge === undefined && frames.isIdle()) return void link.store.write(chunk);
      for (const frame of frames.push(chunk)) if (!obey(link, frame)) return;
    });
    link.store.on('data', (chunk: Buffer) => {
      if (link.cutsAnswer) return reset(link);
      deliver(link, chunk);
    });
    for (const [one, other] of [
      [client, link.store],
      [link.store, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', (hadError) => {
        links.delete(link);
        if (hadError) other.resetAndDestroy();
        else other.destroySoon();
      });
    }
  };

  /** False when the connection is gone. */
  const obey = (link: Link, frame: Buffer): boolean => {
    const verdict = proxy.judge?.(frame) ?? 'pass';
    if (verdict === 'cut before') {
      reset(link);
      return false;
    }
    if (verdict === 'cut after') link.cutsAnswer = true;
    if (typeof verdict === 'object') link.client.write(verdict.answer);
    else link.store.write(frame);
    return true;
  };

  const deliver = (link: Link, chunk: Buffer) => {
    if (mode === 'garble') link.client.write(noise(chunk.length));
    else if (typeof mode === 'object') setTimeout(() => link.client.write(chunk), mode.delayMs);
    else link.client.write(chunk);
  };

  const listen = async () => {
    server = createServer(open);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const stopListening = async () => {
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server = undefined;
    for (const link of links) reset(link);
    await closed;
  };

  await listen();
  const proxy: StoreProxy = {
    port,
    mode: () => mode,
    async setMode(next) {
      const before = mode;
      mode = next;
      if (next === 'refuse') return stopListening();
      if (before === 'refuse') await listen();
      for (const link of links) {
        if (next === 'hold') holdBack(link);
        else if (before === 'hold') letGo(link);
      }
    },
    cut: () => {
      for (const link of links) reset(link);
    },
    judge: undefined,
    close: stopListening,
  };
  return proxy;
}

function holdBack({ client, store }: Link): void {
  client.pause();
  store.pause();
}

function letGo({ client, store }: Link): void {
  client.resume();
  store.resume();
}

function reset({ client, store }: Link): void {
  client.resetAndDestroy();
  store.destroy();
}

/** The same noise each time, and no byte of it means anything to any of the protocols. */
function noise(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => 0xc1 + ((index * 37) % 62)));
}

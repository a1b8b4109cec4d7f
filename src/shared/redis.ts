import { Redis as Client } from 'ioredis';
import type { Logger } from 'pino';
import { createCircuitBreaker } from './circuit-breaker.ts';

/** What is shared through Redis can be lost at any moment, so every caller has something else to do when a call is refused. */
export interface Redis {
  /** Runs a Lua script: one round trip, all or nothing. @throws within 200 ms, at once while Redis is known to be down */
  evaluate(script: string, keys: readonly string[], args?: readonly (string | number)[]): Promise<unknown>;
  /** @throws when Redis does not answer */
  ping(): Promise<void>;
  /** names the life of the server: a restart or a failover, which may have lost writes, changes it; absent: not connected */
  life(): string | undefined;
  /** `heard` gets each message of the channel; `begun` is called when listening begins, or begins again after a gap */
  listen(channel: string, listener: { readonly heard: (message: string) => void; readonly begun: () => void }): void;
  close(): Promise<void>;
}

const commandTimeoutMs = 150;
/** for what ioredis 6.0.0 never settles after a cut (redis/ioredis#2193) */
const deadlineMs = 180;
const connectTimeoutMs = 1000;
const longestReconnectMs = 1000;
const startPatienceMs = 500;
const breakerFailures = 3;
const breakerPauseMs = 1000;

/** Connects, and goes on trying for ever. Resolves when connected or after half a second: a shop starts without Redis too. */
export async function openRedis({ url, log }: { readonly url: string; readonly log: Logger }): Promise<Redis> {
  const client = createClient(url, log);
  const listeners: Client[] = [];
  let life: string | undefined;
  let closed = false;
  const reconnect = (connection: Client) => void (!closed && connection.status === 'ready' && connection.disconnect(true));
  const refused = new Set<string>();
  /** What Redis forbids the user of the URL, it forbids on the next connection too: stays on this one and says so once. */
  const orReconnect = (connection: Client, command: string) => (error: unknown) => {
    if (!isReply(error) || isPassing(error)) return reconnect(connection);
    if (!refused.has(command)) log.warn({ store: 'cache', error }, `redis refuses ${command}: give its user the right to it`);
    refused.add(command);
  };
  client.on('close', () => {
    life = undefined;
  });
  const breaker = createCircuitBreaker({
    failures: breakerFailures,
    pauseMs: breakerPauseMs,
    refusal: notConnected,
    isFailure: (error) => !isReply(error),
    onOpen: () => {
      log.warn('redis does not answer: going on without it');
      // a connection that is silent may be dead without knowing it
      reconnect(client);
    },
  });
  const call = <T>(work: () => Promise<T>): Promise<T> =>
    client.status === 'ready' ? breaker.run(() => withDeadline(work())) : Promise.reject(notConnected());

  const begun = new Promise<void>((resolve) => {
    client.on('ready', () => {
      withDeadline(client.info('server'))
        .then((text) => {
          life = /^run_id:(\w+)/m.exec(text)?.[1] ?? 'unknown';
        })
        // without a life nothing is shared: the next connection tells
        .catch(orReconnect(client, 'INFO'))
        .finally(resolve);
    });
  });
  await Promise.race([begun, new Promise((resolve) => setTimeout(resolve, startPatienceMs))]);

  return {
    evaluate: (script, keys, args = []) => call(() => client.eval(script, keys.length, ...keys, ...args)),
    ping: async () => {
      await call(() => client.ping());
    },
    life: () => (client.status === 'ready' ? life : undefined),
    listen: (channel, listener) => {
      const listening = createClient(url, log);
      listeners.push(listening);
      listening.on('message', (_channel: string, message: string) => listener.heard(message));
      listening.on('ready', () => {
        listening.subscribe(channel).then(listener.begun, orReconnect(listening, 'SUBSCRIBE'));
      });
    },
    close: async () => {
      closed = true;
      for (const each of [client, ...listeners]) each.disconnect();
    },
  };
}

function createClient(url: string, log: Logger): Client {
  let told = false;
  const client = new Client(url, {
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // else a cut makes it send what may have been done already
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), longestReconnectMs) * (0.5 + Math.random() / 2),
  });
  client.on('ready', () => {
    told = false;
  });
  // without a listener ioredis prints to the console; one line per outage is enough
  client.on('error', (error: Error) => {
    if (!told) log.warn({ store: 'cache', error }, 'redis is not connected');
    told = true;
  });
  return client;
}

function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('Redis did not answer in time.')), deadlineMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** An error that Redis itself answered: it is up. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** A reply that another try may change: Redis runs a long script, or has not got all its data yet. */
function isPassing({ message }: Error): boolean {
  return /^(BUSY|LOADING|MASTERDOWN) /.test(message);
}

function notConnected(): Error {
  return new Error('Redis is not connected.');
}

import { Agent, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { type History, type Operation, outcomeOf } from './history.ts';

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly token?: string | undefined;
  readonly key?: string;
  readonly ifMatch?: string;
  readonly body?: unknown;
}

export interface Answer {
  /** absent: no whole answer came */
  readonly status?: number;
  readonly retryAfter?: string;
  readonly requestId?: string;
  readonly etag?: string;
  readonly text: string;
  /** undefined when it is no JSON */
  readonly body: unknown;
}

export interface ShopClient {
  /** Sends once; never rejects. */
  ask(ask: Ask): Promise<Answer>;
  close(): void;
}

/** What a client waits for an answer: longer than any request may take. */
const clientTimeoutMs = 15_000;

export function openShopClient(url: string, timeoutMs = clientTimeoutMs): ShopClient {
  // a connection for each request: the balancer deals out connections, and every process has to have its part
  const agent = new Agent({ keepAlive: false, maxSockets: 64 });
  return {
    ask: async (ask) => {
      try {
        return await send(`${url}${ask.path}`, ask, { agent, timeoutMs });
      } catch {
        return { text: '', body: undefined };
      }
    },
    close: () => agent.destroy(),
  };
}

async function send(url: string, ask: Ask, { agent, timeoutMs }: { agent: Agent; timeoutMs: number }): Promise<Answer> {
  const { method, token, key, ifMatch, body } = ask;
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(key !== undefined && { 'Idempotency-Key': key }),
    ...(ifMatch !== undefined && { 'If-Match': ifMatch }),
    ...(payload && { 'Content-Type': 'application/json', 'Content-Length': payload.byteLength }),
  };
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent, signal }, (answer) => {
      textOf(answer).then((text) => {
        const { 'retry-after': retryAfter, 'x-request-id': requestId, etag } = answer.headers;
        resolve({
          status: answer.statusCode ?? 0,
          ...(retryAfter !== undefined && { retryAfter }),
          ...(typeof requestId === 'string' && { requestId }),
          ...(etag !== undefined && { etag }),
          text,
          body: jsonOf(text),
        });
      }, reject);
    });
    sent.on('error', reject).end(payload);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The slug of a problem document. */
export function slugOf({ body }: Pick<Answer, 'body'>): string | undefined {
  return field(body, 'type')?.split('/').at(-1);
}

/** A member of an answer that is a text. */
export function field(body: unknown, name: string): string | undefined {
  const value = member(body, name);
  return typeof value === 'string' ? value : undefined;
}

export function member(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null) return undefined;
  return Reflect.get(body, name);
}

/** The members of a list of the shop. */
export function listOf(body: unknown): readonly unknown[] {
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : [];
  return Array.isArray(data) ? data : [];
}

export type Known = Pick<Operation, 'kind' | 'user'> & Partial<Operation>;

/** Asks, and writes down what was asked and what came of it. */
export async function perform(client: ShopClient, history: History, { ask, known }: { ask: Ask; known: Known }) {
  const startedAt = performance.now();
  const answer = await client.ask(ask);
  const outcome = outcomeOf(answer.status, slugOf(answer));
  const { etag: _, ...told } = answer;
  history.add({ ...known, ...told, startedAt, endedAt: performance.now(), outcome });
  return { ...answer, outcome };
}

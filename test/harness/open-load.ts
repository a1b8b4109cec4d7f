import { randomUUID } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request of the load that did not end as it should; the times are of `performance.now()`. */
export interface FailedRequest {
  readonly step: Step;
  readonly reason: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface LoadResult {
  readonly sent: number;
  readonly answered: Readonly<Record<string, number>>;
  readonly failed: readonly FailedRequest[];
  readonly longestMs: number;
}

export interface OpenLoad {
  /** Sends no more, and waits for the answers that are due. */
  stop(): Promise<LoadResult>;
}

/** A call, and what its answer has to be: `accept` throws when it is anything else. */
export interface Step {
  readonly call: Call;
  readonly accept: (answer: Answer) => void;
}

const tickMs = 5;
const timeoutMs = 15_000;

/**
 * Sends requests at a constant rate, however long answers take, over connections that stay open. Whatever is not the answer that a
 * step accepts counts as failed: refused, reset, cut short, too late, another status.
 */
export function startOpenLoad({ url, ratePerSecond, next }: { url: string; ratePerSecond: number; next: () => Step }): OpenLoad {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  const answered: Record<string, number> = {};
  const failed: FailedRequest[] = [];
  const underWay = new Set<Promise<void>>();
  const beganAt = performance.now();
  let sent = 0;
  let longestMs = 0;

  const one = async (step: Step): Promise<void> => {
    const startedAt = performance.now();
    try {
      const answer = await send({ url, agent, call: step.call });
      answered[answer.status] = (answered[answer.status] ?? 0) + 1;
      step.accept(answer);
    } catch (error) {
      failed.push({ step, reason: String(error), startedAt, endedAt: performance.now() });
    }
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - beganAt) * ratePerSecond) / 1000);
    for (; sent < due; sent += 1) {
      const work = one(next()).finally(() => underWay.delete(work));
      underWay.add(work);
    }
  }, tickMs);

  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      return { sent, answered, failed, longestMs };
    },
  };
}

/** One request. @throws when there is no whole answer in time */
export function send({ url, agent, call }: { url: string; agent?: Agent; call: Call }): Promise<Answer> {
  const { method, path, headers = {}, body } = call;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      url + path,
      {
        method,
        ...(agent && { agent }),
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'x-request-id': randomUUID(),
          ...(payload !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...headers,
        },
      },
      (response) => {
        text(response).then(
          (whole) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole }),
          reject,
        );
      },
    );
    sent.once('error', reject);
    sent.end(payload);
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ReplayStop } from './replay-stop.ts';
import type { ShopAnswer, ShopConnection, ShopRequest } from './shop-connection.ts';

/** Asks the shop until it answers. */
export interface ReplayClient {
  /**
   * The shop's answer, whatever it is. A lost connection, a 5xx, a 429 and a request that is still running under its key are no
   * answers: the same request goes out again, so it has to be one that may be repeated.
   * @param outageMs how long the shop may be away
   * @throws ReplayStop when no answer came for too long
   */
  ask(request: ShopRequest, outageMs?: number): Promise<ShopAnswer>;
  retries(): number;
  /** Ends whatever is under way. */
  close(): void;
}

export interface Patience {
  /** how long the shop may be away */
  readonly outageMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export const defaultPatience: Patience = { outageMs: 120_000, firstPauseMs: 50, longestPauseMs: 2000 };

export function createReplayClient(connection: ShopConnection, patience: Patience): ReplayClient {
  const { firstPauseMs, longestPauseMs } = patience;
  const closing = new AbortController();
  let retries = 0;

  return {
    retries: () => retries,
    close() {
      closing.abort();
      connection.close();
    },
    async ask(request, outageMs = patience.outageMs) {
      let awaySince = performance.now();
      for (let attempt = 0; ; attempt++) {
        const answer = await attemptOf(connection, request);
        if (answer.status !== undefined && isFinal(answer)) return answer;
        const asked = answer.status === undefined ? 0 : retryAfterMs(answer);
        // a shop that says 429 is there: waiting for its quota is no outage
        if (answer.status === 429) awaySince = performance.now();
        const pause = Math.max(
          asked,
          Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 16)) * (0.5 + Math.random() / 2),
        );
        if (performance.now() - awaySince + asked > outageMs) {
          const seconds = Math.ceil(outageMs / 1000);
          throw new ReplayStop(
            'gaveUp',
            `gave up on ${request.method} ${request.path}, which may take ${seconds} s at most: ${reasonOf(answer)}`,
            answer.cause,
          );
        }
        retries++;
        await sleep(pause, undefined, { signal: closing.signal });
      }
    },
  };
}

type Attempt = (ShopAnswer & { readonly cause?: never }) | { readonly status?: never; readonly cause: unknown };

async function attemptOf(connection: ShopConnection, request: ShopRequest): Promise<Attempt> {
  try {
    return await connection.send(request);
  } catch (cause) {
    return { cause };
  }
}

function isFinal(answer: ShopAnswer): boolean {
  if (answer.status === 409) return problemOf(answer) !== 'idempotency-in-flight';
  return answer.status < 500 && answer.status !== 429;
}

/** `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3). */
function retryAfterMs({ headers: { 'retry-after': value = '' } }: ShopAnswer): number {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

function reasonOf(attempt: Attempt): string {
  return attempt.status === undefined ? causeOf(attempt.cause) : describe(attempt);
}

function causeOf(cause: unknown): string {
  const { code, message } = z.object({ code: z.string().optional(), message: z.string().optional() }).catch({}).parse(cause);
  return code ?? message ?? 'unknown';
}

const problemDocument = z.object({
  type: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z.unknown().optional(),
});

/** The slug of a problem document; undefined when the body is none. */
export function problemOf(answer: ShopAnswer): string | undefined {
  const { data } = problemDocument.safeParse(answer.body);
  return data?.type.split('/').at(-1);
}

/** What the schema picks from an answer. @throws ReplayStop when it is not the answer of a shop */
export function read<Schema extends z.ZodType>(answer: ShopAnswer, schema: Schema): z.output<Schema> {
  const { success, data } = schema.safeParse(answer.body);
  if (!success) throw new ReplayStop('setup', `an answer is not what a shop says: ${describe(answer)}`);
  return data;
}

/** An answer in one line, for the user. */
export function describe(answer: ShopAnswer): string {
  const { data } = problemDocument.safeParse(answer.body);
  const rules = data?.errors === undefined ? '' : ` ${JSON.stringify(data.errors).slice(0, 300)}`;
  return `${answer.status} ${data?.detail ?? data?.title ?? ''}`.trim() + rules;
}

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { answeredCall, contractTimeoutMs, deadlineHeader, refusedCall } from './contract-call.ts';
import { refuseWhenLate, timeLeftMs } from './deadline.ts';
import { Failure, unavailable } from './failure.ts';

export interface ContractClient<Api> {
  /** stands in for the module: the same methods, the same failures */
  readonly api: Api;
  /** @throws unavailable when the service does not answer */
  ping(): Promise<void>;
  close(): void;
}

const mostConnections = 64;
const mostAttempts = 3;
const firstPauseMs = 20;

/**
 * Calls the contract of a module that runs as a service of its own. Each method of a contract is idempotent, so a call whose
 * answer was lost is made again, at most twice and within the caller's time.
 * @throws from each method what the module throws, and unavailable when it can't be reached
 */
export function createContractClient<Api extends object>({
  url,
  module,
  methods,
  token,
}: {
  readonly url: string;
  readonly module: string;
  /** every method of the contract */
  readonly methods: Readonly<Record<keyof Api & string, true>>;
  readonly token: string;
}): ContractClient<Api> {
  const agent = new Agent({ keepAlive: true, maxSockets: mostConnections });
  const base = url.replace(/\/+$/, '');

  const callOnce = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    refuseWhenLate();
    const timeoutMs = Math.ceil(Math.min(contractTimeoutMs, timeLeftMs()));
    const body = Buffer.from(JSON.stringify(args));
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'Content-Length': body.length,
        [deadlineHeader]: timeoutMs,
      };
      const signal = AbortSignal.timeout(timeoutMs);
      httpRequest(`${base}/${module}/${method}`, { method: 'POST', agent, headers, signal }, resolve)
        .on('error', reject)
        .end(body);
    });
    return readAnswer(answer.statusCode === 200, await text(answer));
  };

  const call = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await callOnce(method, args);
      } catch (error) {
        if (error instanceof Failure && error.code !== 'unavailable') throw error;
        if (attempt === mostAttempts || timeLeftMs() === 0)
          throw error instanceof Failure ? error : unavailable(`${module} does not answer.`, error);
      }
      await pause(firstPauseMs * 2 ** attempt * (0.5 + Math.random()));
    }
  };

  const api = Object.fromEntries(Object.keys(methods).map((method) => [method, (...args: unknown[]) => call(method, args)]));
  return {
    api: api as Api, // one function for each method of the contract, and what it answers is what the module answers
    ping: async () => {
      await callOnce('', []).catch((error: unknown) => {
        // there is no such method, says somebody who is there
        if (!(error instanceof Failure) || error.code !== 'not-found') throw unavailable(`${module} does not answer.`, error);
      });
    },
    close: () => agent.destroy(),
  };
}

function readAnswer(answered: boolean, body: string): unknown {
  if (answered) return answeredCall.parse(JSON.parse(body)).value;
  const { code, detail, members, headers } = refusedCall.parse(JSON.parse(body));
  throw new Failure(code, { detail, members, headers });
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { closeInOrder, trackConnections } from './close-server.ts';
import { contractTimeoutMs, deadlineHeader, type RefusedCall } from './contract-call.ts';
import { withDeadline } from './deadline.ts';
import { Failure, problems } from './failure.ts';
import { toFailure } from './http-problem.ts';

/** The methods of a module's contract; each takes and answers plain JSON-able data. */
export type Contract = object;

export interface ContractServer {
  /** Resolves to the port once it listens. */
  listen(where: { readonly port: number; readonly host: string }): Promise<number>;
  /** Answers what is under way, takes nothing new. */
  close(): Promise<void>;
}

const maxBodyBytes = 2 * 1024 * 1024;
/** What a stop waits for calls under way: whoever made them makes them again elsewhere. */
const closeTimeoutMs = 2000;
const limits = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 1000 };

/**
 * Lets other services call contracts over HTTP: `POST /<module>/<method>` with the arguments as a JSON array, answered with
 * `{"value": …}` or with the code of the failure. Only for holders of a service token, on a port of its own that no balancer leads to.
 */
export function createContractServer({
  contracts,
  tokens,
  log,
}: {
  /** by the name of the module */
  readonly contracts: Readonly<Record<string, Contract>>;
  readonly tokens: readonly string[];
  readonly log: Logger;
}): ContractServer {
  const methods = new Map<string, (...args: readonly unknown[]) => Promise<unknown>>(
    Object.entries(contracts).flatMap(([module, contract]) =>
      Object.entries(contract).map(([name, method]) => [`/${module}/${name}`, method] as const),
    ),
  );
  const known = tokens.map(digestOf);

  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const sent = digestOf(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    if (!known.some((token) => timingSafeEqual(token, sent))) throw new Failure('unauthenticated');
    const method = methods.get(request.url ?? '');
    if (method === undefined || request.method !== 'POST') throw new Failure('not-found');
    const args = await readArguments(request);
    const asked = Number(request.headers[deadlineHeader]);
    return withDeadline(asked > 0 ? Math.min(asked, contractTimeoutMs) : contractTimeoutMs, () => method(...args));
  };

  const underWay = new Set<ServerResponse>();
  const server = createServer(limits, (request, response) => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    answer(request).then(
      (value) => send(response, 200, { value }),
      (error: unknown) => {
        const failure = toFailure(error);
        if (failure.code === 'internal') log.error({ call: request.url, error: failure.cause }, 'a call of a contract failed');
        const { code, message, members, headers } = failure;
        send(response, problems[code].status, { code, detail: message, members, headers } satisfies RefusedCall);
      },
    );
  });
  const sockets = trackConnections(server);
  return {
    listen: async (where) => {
      server.listen(where);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port; // it listens on a port
    },
    close: async () => {
      if (!server.listening) return;
      await closeInOrder({ server, sockets, underWay, timeoutMs: closeTimeoutMs });
    },
  };
}

async function readArguments(request: IncomingMessage): Promise<readonly unknown[]> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
    if (text.length > maxBodyBytes) throw new Failure('too-large');
  }
  const args: unknown = parsed(text);
  if (!Array.isArray(args)) throw new Failure('malformed', { detail: 'The arguments have to be a JSON array.' });
  // JSON knows no undefined: an argument that was left out came as null
  return args.map((argument) => argument ?? undefined);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('malformed', { cause });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length }).end(bytes);
}

/** Digests have one length, so that comparing them takes one time. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

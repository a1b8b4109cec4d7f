import type { Connection } from 'mysql2';

/** What a statement of the driver and of Sequelize is sent with: both give a callback last. */
type Send = (...args: unknown[]) => unknown;
type Answered = (error: unknown, ...answer: unknown[]) => void;

/** A server that does not answer, or has been cut off without a word. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code = 'PROTOCOL_SEQUENCE_TIMEOUT';
}

/**
 * Ends a connection on which a statement is not answered within `limitMs`, and answers the statement with an error. The driver's own `timeout`
 * does not count while a statement is being prepared, and Sequelize does not pass one on. An options object may name another
 * limit as `limitMs`, 0 for none.
 */
export function limitStatements(connection: Connection, limitMs: number): void {
  const members = connection as unknown as Record<'query' | 'execute', Send>; // all their overloads as one
  for (const name of ['query', 'execute'] as const) {
    const send = members[name].bind(connection);
    members[name] = (...args: unknown[]) => {
      const callback = args.at(-1);
      if (typeof callback !== 'function') return send(...args);
      return send(...args.slice(0, -1), limited(connection, limitOf(args[0]) ?? limitMs, callback as Answered));
    };
  }
}

function limitOf(options: unknown): number | undefined {
  return typeof options === 'object' && options !== null && 'limitMs' in options ? Number(options.limitMs) : undefined;
}

function limited(connection: Connection, limitMs: number, callback: Answered): Answered {
  if (limitMs === 0) return callback;
  let over = false;
  const answered: Answered = (...answer) => {
    clearTimeout(timer);
    // a connection that is cut off tells everybody who still waits on it
    if (!over) callback(...answer);
    over = true;
  };
  const timer = setTimeout(() => {
    cutOff(connection);
    answered(new NoAnswer(`The server did not answer within ${limitMs} ms.`));
  }, limitMs);
  return answered;
}

/** Ends the connection without waiting for the other side: `destroy` of the driver says goodbye, and waits for an answer. */
export function cutOff(connection: Connection): void {
  connection.destroy();
  // the socket, which the driver does not declare
  (connection as Connection & { readonly stream: { destroy(): void } }).stream.destroy();
}

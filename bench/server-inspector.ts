import { once } from 'node:events';

/** A look into a process that runs with `--inspect`: nothing of its own program takes part. */
export interface ServerInspector {
  /** Collects garbage, then answers what is left. */
  lookAtHeap(): Promise<HeapLook>;
  /** Evaluates an expression in the process, whose value has to be JSON. @throws what it throws */
  evaluate(expression: string): Promise<unknown>;
  close(): void;
}

export interface HeapLook {
  readonly heapMib: number;
  /** what keeps the event loop alive: sockets, timers, requests under way */
  readonly handles: number;
}

const listMs = 10_000;
const look =
  'JSON.stringify({ heapMib: process.memoryUsage().heapUsed / 1048576, handles: process.getActiveResourcesInfo().length })';

/** @throws when nothing listens on the port */
export async function inspectServer(port: number): Promise<ServerInspector> {
  const answer = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: AbortSignal.timeout(listMs) });
  const [target] = (await answer.json()) as readonly { webSocketDebuggerUrl: string }[]; // as the inspector documents it
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await once(socket, 'open');
  const waiting = new Map<number, PromiseWithResolvers<Reply>>();
  socket.addEventListener('message', ({ data }) => {
    const { id, ...reply } = JSON.parse(String(data)) as Reply & { id?: number };
    if (id !== undefined) waiting.get(id)?.resolve(reply);
    if (id !== undefined) waiting.delete(id);
  });
  socket.addEventListener('close', () => {
    for (const call of waiting.values()) call.reject(new Error('The server has closed its inspector.'));
  });
  let calls = 0;
  const call = async (method: string, params: object = {}): Promise<Reply> => {
    calls += 1;
    const answered = Promise.withResolvers<Reply>();
    waiting.set(calls, answered);
    socket.send(JSON.stringify({ id: calls, method, params }));
    const reply = await answered.promise;
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply;
  };
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result } = await call('Runtime.evaluate', { expression, returnByValue: true });
    if (result?.exceptionDetails !== undefined) throw new Error(`${expression} threw ${result.exceptionDetails.text}`);
    return result?.result?.value;
  };
  return {
    evaluate,
    lookAtHeap: async () => {
      await call('HeapProfiler.collectGarbage');
      return JSON.parse(String(await evaluate(look)));
    },
    close: () => socket.close(),
  };
}

interface Reply {
  readonly error?: { readonly message: string };
  readonly result?: { readonly result?: { readonly value?: unknown }; readonly exceptionDetails?: { readonly text: string } };
}

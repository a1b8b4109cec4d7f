import { pino } from 'pino';
import { type AuthDependencies, type AuthModule, createAuth, makeJwtKey } from '../../src/modules/auth/index.ts';
import type { Dynamo } from '../../src/shared/dynamo.ts';
import { Failure, problems } from '../../src/shared/failure.ts';
import { noStream } from '../../src/shared/http-stream.ts';
import { hasRole, type Principal } from '../../src/shared/principal.ts';
import type { Route } from '../../src/shared/route.ts';
import { openUserStore } from './stores.ts';

/** What a process asks of its store. */
export interface StoreRequest {
  readonly command: string;
  /** without the prefix of the shop */
  readonly table: string;
  readonly isWrite: boolean;
  /** the writes of this process are counted from 1 since `plan` was called */
  readonly write: number;
}

/** `crash before` and `crash after`: the process does nothing any more, before or after the store did its part. */
export type Verdict = 'go on' | 'crash before' | 'crash after' | 'lose the answer' | 'store down';
export type Plan = (request: StoreRequest) => Verdict | Promise<Verdict>;

export interface Answer {
  readonly status: number;
  // whatever the route answered; tests look at what they expect
  // biome-ignore lint/suspicious/noExplicitAny: the answers of all routes
  readonly body: any;
  readonly headers: Readonly<Record<string, string>>;
}

export interface CallOptions {
  readonly token?: string;
  readonly body?: unknown;
}

/** One process with the accounts, without the HTTP front: the same routes, schemas and access rules. */
export interface AuthProcess {
  readonly auth: AuthModule;
  readonly dynamo: Dynamo;
  call(operation: string, options?: CallOptions): Promise<Answer>;
  /** what goes wrong from now on; counts writes anew */
  plan(plan?: Plan): void;
  /** how many writes since `plan` */
  writes(): number;
  /** before each request to the store: lets a test decide who goes on */
  pause: (request: StoreRequest) => Promise<void>;
  /** runs the named background tasks once, or all */
  work(...names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface AuthProcesses {
  start(options?: Partial<Pick<AuthDependencies, 'now' | 'settings' | 'loginFailures' | 'keys'>>): Promise<AuthProcess>;
  close(): Promise<void>;
}

const keys = {
  jwtPrivateKeys: [makeJwtKey()],
  refreshKeys: ['refresh key of the tests'],
  passwordPepper: 'pepper of the tests',
};
const settings = { passwordMinLength: 12, bcryptCost: 4 };
const silent = pino({ level: 'silent' });

/** One store and any number of processes that use it. */
export async function openAuthProcesses(): Promise<AuthProcesses> {
  const store = await openUserStore();
  const running = new Set<AuthProcess>();
  return {
    start: async (options = {}) => {
      const process = await startProcess(await store.connect(), options);
      running.add(process);
      const { close } = process;
      return Object.assign(process, {
        close: async () => {
          running.delete(process);
          await close();
        },
      });
    },
    close: async () => {
      await Promise.all([...running].map((process) => process.close()));
      await store.close();
    },
  };
}

async function startProcess(dynamo: Dynamo, options: Partial<AuthDependencies>): Promise<AuthProcess> {
  const faults = injectFaults(dynamo);
  const auth = await createAuth({ dynamo, keys, settings, log: silent, intervals: { marks: 0, erasureDelay: 0 }, ...options });
  const routes = new Map(auth.routes.map((route) => [route.operationId, route]));
  return Object.assign(faults, {
    auth,
    dynamo,
    call: (operation: string, { token, body }: CallOptions = {}) => {
      const [name = '', id] = operation.split(' ');
      const route = routes.get(name);
      if (route === undefined) throw new Error(`there is no operation ${name}`);
      return answer(() => handle({ route, auth, token, body, id }));
    },
    work: async (...names: readonly string[]) => {
      for (const task of auth.tasks)
        if (names.length === 0 || names.includes(task.name)) await task.run(new AbortController().signal);
    },
    close: async () => {
      await dynamo.close();
    },
  });
}

/** Stands between a process and its store. */
function injectFaults({ client, tablePrefix }: Dynamo): Pick<AuthProcess, 'plan' | 'writes' | 'pause'> {
  let plan: Plan = () => 'go on';
  let writes = 0;
  let crashed = false;
  const lost = new WeakSet<object>();
  const gone = () => Object.assign(new Error('the store is gone'), { code: 'ECONNREFUSED' });
  const faults: Pick<AuthProcess, 'plan' | 'writes' | 'pause'> = {
    plan: (next = () => 'go on') => {
      plan = next;
      writes = 0;
    },
    writes: () => writes,
    pause: async () => {},
  };
  const requestOf = (command: string, input: object): StoreRequest => {
    const isWrite = /^(Put|Update|Delete)Item/.test(command);
    if (isWrite) writes += 1;
    const table = 'TableName' in input ? String(input.TableName).slice(tablePrefix.length) : '';
    return { command, table, isWrite, write: isWrite ? writes : 0 };
  };
  const before = async (request: StoreRequest): Promise<Verdict> => {
    const verdict = crashed ? 'crash before' : await plan(request);
    crashed ||= verdict === 'crash before';
    if (verdict === 'crash before' || verdict === 'store down') throw gone();
    return verdict;
  };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const request = requestOf(context.commandName ?? '', args.input);
      await faults.pause(request);
      const verdict = await before(request);
      if (verdict === 'lose the answer') lost.add(args.input);
      if (verdict !== 'crash after') return next(args);
      // also when the store refused it
      await Promise.allSettled([next(args)]);
      crashed = true;
      throw gone();
    },
    { step: 'initialize', name: 'faults' },
  );
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      // The SDK sends such a request again by itself.
      if (lost.delete(args.input)) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });
      return answer;
    },
    { step: 'deserialize', name: 'lostAnswers', priority: 'high' },
  );
  return faults;
}

async function handle({
  route,
  auth,
  token,
  body,
  id,
}: {
  route: Route;
  auth: AuthModule;
  token: string | undefined;
  body: unknown;
  id: string | undefined;
}) {
  let principal: Principal | undefined;
  if (route.access !== 'public') {
    if (token === undefined) throw new Failure('unauthenticated');
    principal = await auth.authenticate(token);
    if (route.access !== 'optional' && !hasRole(principal, route.access)) throw new Failure('forbidden');
  }
  const parsed = body === undefined && route.bodyOptional ? { data: undefined, success: true } : route.body?.safeParse(body);
  if (parsed?.success === false) throw new Failure('validation');
  const query = route.query?.parse({});
  return route.handle({
    ...{ params: { id }, query, headers: {}, body: parsed?.data, principal },
    ...{ stream: noStream, accepted: '', requestId: 'test', address: '127.0.0.1', userAgent: 'tests', url: route.path },
  });
}

async function answer(
  run: () => Promise<{ status: number; body?: unknown; headers?: Readonly<Record<string, string>> }>,
): Promise<Answer> {
  try {
    const { status, body, headers = {} } = await run();
    return { status, body, headers };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { status: problems[error.code].status, body: { code: error.code, ...error.members }, headers: error.headers };
  }
}

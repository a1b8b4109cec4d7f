import { embedded, type Mutant, services } from './mutant.ts';

const folder = 'src/shared/data-folder.ts';
const server = 'src/shared/http-server.ts';

/** A process starts only as it should, has its data to itself, and ends without losing a request. */
export const processMutants: readonly Mutant[] = [
  {
    guard: 'a server that stops keeps connections whose answer is not sent yet',
    file: 'src/shared/close-server.ts',
    text: 'if (busy.has(socket)) continue;',
    mutation: '',
    noticedBy: [embedded('draining', 'draining sends an answer to its end, however slowly it is read')],
  },
  {
    guard: 'a server that stops does not let Node close what it takes for idle',
    file: 'src/shared/close-server.ts',
    text: 'server.closeIdleConnections = () => {};',
    mutation: '',
    noticedBy: [embedded('draining', 'draining sends an answer to its end, however slowly it is read')],
  },
  {
    guard: 'a server that stops closes connections that were never used',
    file: 'src/shared/close-server.ts',
    text: 'if (bytesBefore.get(socket) === socket.bytesRead) socket.destroy();',
    mutation: 'server.closeIdleConnections();',
    noticedBy: [embedded('draining', 'draining does not wait for connections that were never used')],
  },
  {
    guard: 'a data folder has one server',
    file: folder,
    text: "lock.exec('BEGIN EXCLUSIVE');",
    mutation: '',
    noticedBy: [
      embedded('data-folder', 'the data folder refuses a second server in the same process until the first closes'),
      embedded('data-folder', 'the data folder refuses a second server while the first lives, and lets it in after kill -9'),
    ],
  },
  {
    guard: 'a data folder is for its owner alone',
    file: folder,
    text: 'chmodSync(folder, 0o700);',
    mutation: '',
    noticedBy: [embedded('data-folder', 'the data folder is shut when it was open to others, also behind a symbolic link')],
  },
  {
    guard: 'a secret in the data folder is for its owner alone',
    file: folder,
    text: "const text = readFileSync(file, 'utf8');\n    chmodSync(file, 0o600);",
    mutation: "const text = readFileSync(file, 'utf8');",
    noticedBy: [embedded('data-folder', 'a secret in the data folder is shut when it was readable for others')],
  },
  {
    guard: 'a secret in the data folder is never half written',
    file: folder,
    text: 'const unfinished = `${file}.new`;',
    mutation: 'const unfinished = file;',
    noticedBy: [embedded('data-folder', 'a secret in the data folder is made anew when a crash left half of one')],
  },
  {
    guard: 'a process that drains asks clients to close',
    file: server,
    text: "if (readiness.state() === 'draining') response.setHeader('Connection', 'close');",
    mutation: '',
    noticedBy: [embedded('draining', 'draining is not ready at once, goes on serving, and asks clients to close')],
  },
  {
    guard: 'an answer under way asks its client to close when the drain begins',
    file: server,
    text: "for (const response of underWay) if (!response.headersSent) response.setHeader('Connection', 'close');",
    mutation: '',
    noticedBy: [embedded('draining', 'draining answers what is under way, and does not wait for connections that are idle')],
  },
  {
    guard: 'a process that drains is not ready',
    file: server,
    text: "readiness.become('draining');",
    mutation: '',
    noticedBy: [embedded('draining', 'draining is not ready at once, goes on serving, and asks clients to close')],
  },
  {
    guard: 'a process serves on until balancers have noticed that it drains',
    file: server,
    text: 'if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));',
    mutation: '',
    noticedBy: [embedded('draining', 'draining is not ready at once, goes on serving, and asks clients to close')],
  },
  {
    guard: 'a drain cuts what takes too long',
    file: 'src/shared/close-server.ts',
    text: 'const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);',
    mutation: 'const cut = setTimeout(() => undefined, timeoutMs);',
    noticedBy: [embedded('draining', 'draining cuts what takes longer than it may')],
  },
  {
    guard: 'draining is for good',
    file: 'src/shared/readiness.ts',
    text: "if (state !== 'draining') state = next;",
    mutation: 'state = next;',
    noticedBy: [embedded('draining', 'draining is one drain, however often it is asked for')],
  },
  {
    guard: 'a process that starts, or waits for its tables, answers nothing but how it is',
    file: 'src/shared/http-operations.ts',
    text: "(state === 'starting' || state === 'migrations-pending') &&",
    mutation: "state === 'draining' &&",
    noticedBy: [embedded('http-front', 'operations answers nothing else while it starts or waits for migrations')],
  },
  {
    guard: 'a process that starts during an outage waits for its end',
    file: 'src/shared/wait-for-stores.ts',
    text: 'if (!isOutage(error) || signal.aborted) throw error;',
    mutation: 'throw error;',
    noticedBy: [
      services(
        'start-during-outage',
        'while a store is down (refuse the database) a process starts, waits, and is ready when it is back',
      ),
    ],
  },
  {
    guard: 'a process that waits answers meanwhile',
    file: 'src/server.ts',
    text: 'await Promise.race([started, pause(listenAnywayMs)]);',
    mutation: 'await started;',
    noticedBy: [
      services(
        'start-during-outage',
        'while a store is down (hold the database) a process starts, waits, and is ready when it is back',
      ),
    ],
  },
  {
    guard: 'a process that waits for a store says that it lives before it listens',
    file: 'src/server.ts',
    text: '  sayAlive();\n',
    mutation: '',
    noticedBy: [
      services(
        'start-during-outage',
        'while a store is down a process that lacks the users says that it lives before it answers anybody',
      ),
    ],
  },
  {
    guard: 'a process that lacks the tables of the users waits for them',
    file: 'src/app-modules.ts',
    text: 'return createPatience(log).untilAvailable(() => createAuth(dependencies));',
    mutation: 'return createAuth(dependencies);',
    noticedBy: [
      services('start-during-outage', 'while a store is down a process that lacks the users comes up as soon as they are there'),
    ],
  },
];

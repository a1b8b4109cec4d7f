import { embedded, type Mutant, services } from './mutant.ts';

const mysql = 'src/shared/mysql-database.ts';
const watchdog = 'src/shared/mysql-watchdog.ts';
const deadline = 'src/shared/deadline.ts';
const limiter = 'src/shared/load-limiter.ts';
const late = services(
  'mysql-limits',
  'a caller whose time is over gets no statement and no transaction begun, and loses the one that is open',
);
const lane = (story: string) => embedded('load-limiter', `a lane that is shed early ${story}`);

/** Nobody waits for ever, and what is too much is refused before it costs anything. */
export const overloadMutants: readonly Mutant[] = [
  {
    guard: 'a transaction leaves a server that only reads any more',
    file: mysql,
    text: ' && !isReader(error)',
    mutation: '',
    noticedBy: [
      services(
        'mysql-limits',
        'a server that only reads any more is left by the connection of the transaction that it refused, since another server may write now',
      ),
    ],
  },
  {
    guard: 'a statement leaves a server that only reads any more',
    file: mysql,
    text: 'usable = !isReader(error);',
    mutation: '',
    noticedBy: [
      services(
        'mysql-limits',
        'a server that only reads any more is left by the connection of the statement that it refused, since another server may write now',
      ),
    ],
  },
  {
    guard: 'a server that falls silent is not waited for',
    file: mysql,
    text: 'limitStatements(connection, watchdogMs);',
    mutation: '',
    noticedBy: [
      services(
        'mysql-limits',
        'a server that falls silent does not hold up a statement that it has to prepare first, nor the next one',
      ),
    ],
  },
  {
    guard: 'a connection that was silent is never used again',
    file: watchdog,
    text: 'cutOff(connection);\n    answered(',
    mutation: 'answered(',
    noticedBy: [
      services(
        'mysql-limits',
        'a server that falls silent does not hold up a statement that it has to prepare first, nor the next one',
      ),
    ],
  },
  {
    guard: 'a COMMIT without an answer is in doubt on MySQL',
    file: mysql,
    text: "throw new CommitInDoubt('nobody knows whether it is committed', { cause });",
    mutation: 'void cause;',
    noticedBy: [services('mysql-limits', 'a server that falls silent leaves a COMMIT in doubt')],
  },
  {
    guard: 'a request has a time limit',
    file: deadline,
    text: 'reject(reason);\n    }, leftMs);',
    mutation: '}, leftMs);',
    noticedBy: [embedded('overload', 'a request that takes too long is answered when its time is over')],
  },
  {
    guard: 'who is called has no more time than his caller',
    file: deadline,
    text: 'const leftMs = Math.min(limitMs, timeLeftMs());',
    mutation: 'const leftMs = limitMs;',
    noticedBy: [embedded('deadline', 'work with a deadline tells everything that it calls how much time is left')],
  },
  {
    guard: 'nothing is begun for a caller whose time is over',
    file: deadline,
    text: 'if (timeLeftMs() === 0) throw tooLate();',
    mutation: '',
    noticedBy: [
      embedded('deadline', 'work with a deadline begins nothing any more when the time is over, and waits for nothing'),
      late,
    ],
  },
  {
    guard: 'the time is over once the caller was answered',
    file: deadline,
    text: 'deadline.at = Math.min(deadline.at, performance.now());',
    mutation: '',
    noticedBy: [
      embedded(
        'deadline',
        'work with a deadline is over once the caller was answered, also when a timer fires a part of a millisecond early',
      ),
    ],
  },
  {
    guard: 'an open transaction ends with the time of its caller',
    file: mysql,
    text: "if (ended()) throw new Error('the transaction has ended');\n      refuseWhenLate();",
    mutation: "if (ended()) throw new Error('the transaction has ended');",
    noticedBy: [late],
  },
  {
    guard: 'access and work share the time of a request',
    file: 'src/shared/http-mount.ts',
    text: 'withDeadline(timeoutMs - admissionMs, () =>',
    mutation: 'withDeadline(timeoutMs, () =>',
    noticedBy: [
      embedded(
        'overload',
        'a request that takes too long has the same time for access and for the work together, and its body is not counted',
      ),
    ],
  },
  {
    guard: 'requests of a full lane are refused',
    file: limiter,
    text: 'const isFull = () => underWay >= limitNow();',
    mutation: 'const isFull = () => underWay >= 100 * limitNow();',
    noticedBy: [
      lane('does not fill up with requests that never end'),
      embedded('load-limiter', 'lanes do not hold each other up, and the late one is only bounded'),
    ],
  },
  {
    guard: 'the limit of a lane follows what is finished',
    file: limiter,
    text: 'limit = Math.max(lowestLimit, Math.min(limit, finishedInTarget));',
    mutation: '',
    noticedBy: [lane('refuses what is too much, so that what it lets in is done soon, at full speed')],
  },
  {
    guard: 'the limit of a lane grows again',
    file: limiter,
    text: 'limit = Math.min(highestLimit, Math.ceil(limit * 1.1));',
    mutation: '',
    noticedBy: [lane('follows a server that becomes slow, and one that becomes fast again')],
  },
  {
    guard: 'a body that is still on its way takes no place',
    file: 'src/shared/http-mount.ts',
    text: `const input = await readInput(request);
    if (input.params !== undefined) state.params = input.params;
    const leave = enter(lane);`,
    mutation: 'const leave = enter(lane);\n    const input = await readInput(request);',
    noticedBy: [embedded('overload', 'too many requests at once do not count while their body is still on its way')],
  },
];

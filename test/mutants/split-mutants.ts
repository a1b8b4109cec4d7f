import { embedded, type Mutant, split } from './mutant.ts';

const server = 'src/shared/contract-server.ts';
const client = 'src/shared/contract-client.ts';
const contract = (story: string) => split('split-services', `a contract over HTTP ${story}`);
const turn = (story: string) => embedded('audit-schedule', `the turn to audit ${story}`);

/** Services that call each other, and work that one of them does at a time. */
export const splitMutants: readonly Mutant[] = [
  {
    guard: 'a contract is for holders of a service token',
    file: server,
    text: "if (!known.some((token) => timingSafeEqual(token, sent))) throw new Failure('unauthenticated');",
    mutation: 'timingSafeEqual(sent, sent);',
    noticedBy: [contract('is for holders of a token only, and tells nothing of a fault')],
  },
  {
    guard: 'connections that become idle while the contracts close are closed',
    file: 'src/shared/close-server.ts',
    text: 'setInterval(sweep, sweepMs)',
    mutation: 'setInterval(() => {}, sweepMs)',
    noticedBy: [contract('ends in order while a caller keeps its connection')],
  },
  {
    guard: 'a contract has its methods and no others',
    file: server,
    text: "if (method === undefined || request.method !== 'POST')",
    mutation: 'if (method === undefined)',
    noticedBy: [contract('is for holders of a token only, and tells nothing of a fault')],
  },
  {
    guard: 'a call between services has the time that its caller has left',
    file: client,
    text: 'Math.ceil(Math.min(contractTimeoutMs, timeLeftMs()))',
    mutation: 'contractTimeoutMs',
    noticedBy: [contract('passes the time on that is left')],
  },
  {
    guard: 'a call that was answered with a refusal is not made again',
    file: client,
    text: "if (error instanceof Failure && error.code !== 'unavailable') throw error;",
    mutation: '',
    noticedBy: [contract('makes a call again that had no definite answer, and no other')],
  },
  {
    guard: 'a worker leaves the internal port to the process that answers requests',
    file: 'src/app.ts',
    text: 'if (port === undefined || !roles.web) return undefined;',
    mutation: 'if (port === undefined) return undefined;',
    noticedBy: [split('split-services', 'a worker of a service leaves the internal port to the process that answers requests')],
  },
  {
    guard: 'the audit is one process’s at a time',
    file: 'src/modules/orders/audit-turn.ts',
    text: ' AND held_until <= ${databaseClock(db)}`,',
    mutation: '`,',
    noticedBy: [turn('is nobody else’s before it ends, however long the audit takes')],
  },
  {
    guard: 'a process that lost its turn to audit does not keep it',
    file: 'src/modules/orders/audit-turn.ts',
    text: "if (kept === 0) throw new Error('The audit took too long between two pages and lost its turn.');",
    mutation: '',
    noticedBy: [turn('is lost by a process that slept, which then can neither keep nor end the next one’s')],
  },
  {
    guard: 'a process that lost its turn to audit does not end the next one’s',
    file: 'src/modules/orders/audit-turn.ts',
    text: "', started_at = ?' : ''} WHERE holder = ?`",
    mutation: "', started_at = ?' : ''} WHERE ? IS NOT NULL`",
    noticedBy: [turn('is lost by a process that slept, which then can neither keep nor end the next one’s')],
  },
];

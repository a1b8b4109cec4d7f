import type { Checker, Evidence } from './evidence.ts';
import { field, member } from './shop-client.ts';

export const revokedWithinMs = 5000;

const oneUserPerName: Checker = {
  invariant: 'I-08',
  promise: 'a name has one user, whoever asks for it and how often',
  check: ({ operations }) => {
    const entered = operations.filter(({ kind, outcome }) => (kind === 'register' || kind === 'login') && outcome === 'ok');
    return [...Map.groupBy(entered, ({ user }) => user)].flatMap(([user, answers]) => {
      const ids = new Set(answers.map(({ body }) => field(member(body, 'user'), 'id')));
      return ids.size > 1 ? [`${user} is ${[...ids].join(' and ')}`] : [];
    });
  },
};

const revokedMeansRefused: Checker = {
  invariant: 'I-14',
  promise: 'what was revoked is refused by every process within 5 s',
  check: ({ revocations }) =>
    revocations
      .filter(({ afterMs, status }) => afterMs > revokedWithinMs && status >= 200 && status < 300)
      .map(({ process, afterMs }) => `${process} took a revoked token after ${Math.round(afterMs)} ms`),
};

const oneLiveToken: Checker = {
  invariant: 'I-15',
  promise: 'a session has one live refresh token, and an ended one has none',
  check: ({ sessions }) =>
    sessions.flatMap(({ user, ended, statuses }) => {
      const [newest, ...older] = statuses;
      if (ended)
        return statuses
          .filter((status) => status !== 401)
          .map((status) => `a refresh token of ${user}, whose session has ended, was answered ${status}`);
      if (newest !== 200) return [`the newest refresh token of ${user} was answered ${newest}`];
      return older.some((status) => status === 200) ? [`${user} has more than one live refresh token`] : [];
    }),
};

/** Who loses sight of the others after they have used up the limit still lets his own share through: twice the limit at most. */
const mostOf = ({ limit, torn }: { readonly limit: number; readonly torn: boolean }) => (torn ? 2 * limit : limit);

const limitsHold: Checker = {
  invariant: 'I-18',
  promise: 'the processes together let no more through than the limit, and something all the same',
  check: ({ limits }) =>
    limits
      .filter((probe) => probe.allowed > mostOf(probe) || (probe.refused > 0 && probe.allowed + probe.failed === 0))
      .map((probe) => `${probe.allowed} of ${probe.allowed + probe.refused} were let through, it may be ${mostOf(probe)}`),
};

const nobodyElse: Checker = {
  invariant: 'I-19',
  promise: 'nobody reads what is another’s',
  check: ({ foreignReads }) =>
    foreignReads
      .filter(({ status }) => status !== 404)
      .map(({ process, status }) => `${process} answered ${status} to a stranger`),
};

const securityEventsAreLogged: Checker = {
  invariant: 'I-27',
  promise: 'every sign-in that was answered is in the log, unless the process was killed',
  // nobody knows which process answered: where one could not write down what it did, any may be missing
  check: (evidence) =>
    evidence.ownLives.some(({ killed, logLost = false }) => killed || logLost) ? [] : unloggedSignIns(evidence),
};

function unloggedSignIns({ operations, ownLives }: Evidence): readonly string[] {
  const logged = new Map<string, number>();
  const lines = ownLives.flatMap(({ log }) => log.split('\n').filter((line) => line.includes('"security":"signed-in"')));
  for (const line of lines) {
    const id = field(JSON.parse(line), 'userId') ?? '';
    logged.set(id, (logged.get(id) ?? 0) + 1);
  }
  const answered = operations.filter(({ kind, outcome }) => kind === 'login' && outcome === 'ok');
  return [...Map.groupBy(answered, ({ body }) => field(member(body, 'user'), 'id') ?? '')]
    .filter(([id, answers]) => (logged.get(id) ?? 0) < answers.length)
    .map(([id, answers]) => `user ${id} signed in ${answers.length} times, the log says ${logged.get(id) ?? 0}`);
}

export const accountCheckers: readonly Checker[] = [
  oneUserPerName,
  revokedMeansRefused,
  oneLiveToken,
  limitsHold,
  nobodyElse,
  securityEventsAreLogged,
];

import type { Checker, Evidence } from './evidence.ts';
import { frozenMs } from './managed-program.ts';
import type { Life } from './shop-process.ts';

/** the deadline of a request, and a second */
const longestRequestMs = 6000;
const longestRecoveryMs = 10_000;
const livenessWithinMs = 2000;
/** A machine on which a walk through the shop takes a second is a quiet one; what it takes longer is not the shop's. */
const quietBaselineMs = 1000;
const slownessOf = ({ baselineMs }: Pick<Evidence, 'baselineMs'>) => Math.max(1, baselineMs / quietBaselineMs);
const mostNewDescriptors = 60;

/**
 * A request whose process was killed has no answer; the client's own patience ends it. One whose process was frozen is answered when
 * that wakes: the time in which any process was frozen does not count.
 */
const boundedAndNever500: Checker = {
  invariant: 'I-22',
  promise: 'no request takes longer than its deadline, none is answered 500, and 503 says when to come again',
  check: (evidence) =>
    evidence.operations.flatMap(({ kind, status, retryAfter, startedAt, endedAt, requestId }) => {
      const tookMs = endedAt - startedAt - frozenMs(evidence.freezes, { since: startedAt, until: endedAt });
      return [
        ...(status !== undefined && tookMs > longestRequestMs * slownessOf(evidence)
          ? [`${kind} took ${Math.round(tookMs)} ms`]
          : []),
        ...(status !== undefined && status >= 500 && status !== 503 ? [`${kind} was answered ${status} (${requestId})`] : []),
        ...(status === 503 && !/^[1-9]\d*$/.test(retryAfter ?? '') ? [`${kind} was answered 503 without Retry-After`] : []),
      ];
    }),
};

const staysAlive: Checker = {
  invariant: 'I-21',
  promise: 'a process whose store fails goes on answering what needs no store',
  check: (evidence) =>
    evidence.livenessMs
      .filter((ms) => ms > livenessWithinMs * slownessOf(evidence))
      .map((ms) => `a process took ${Math.round(ms)} ms to say that it lives`),
};

const recovers: Checker = {
  invariant: 'I-23',
  promise: 'everything works again within 10 s, and nothing is left to do',
  check: ({ recoveryMs, backlog, ...evidence }) => [
    ...(recoveryMs === undefined ? ['it did not recover'] : []),
    ...(recoveryMs !== undefined && recoveryMs > longestRecoveryMs * slownessOf(evidence)
      ? [`it took ${Math.round(recoveryMs)} ms to recover`]
      : []),
    ...(backlog.events + backlog.held > 0 ? [`${backlog.events} events and ${backlog.held} held reservations are left`] : []),
  ],
};

const noLeak: Checker = {
  invariant: 'I-24',
  promise: 'no connection stays open that nobody needs',
  check: ({ descriptors }) =>
    descriptors
      .filter(({ before, after }) => after > before + mostNewDescriptors)
      .map(({ process, before, after }) => `${process} had ${before} open descriptors and has ${after}`),
};

const secretsStaySecret: Checker = {
  invariant: 'I-25',
  promise: 'no password and no token is in a log line, and no inside of the shop in an answer',
  check: ({ operations, lives, canaries }) => {
    const logs = lives.map(({ log, stderr }) => log + stderr).join('\n');
    const inside = /\bat .*\.ts:\d+|SELECT .* FROM|INSERT INTO|mysql:\/\/|node_modules|ECONN|SequelizeD/;
    return [
      ...canaries.filter((canary) => logs.includes(canary)).map((canary) => `a log line holds ${canary.slice(0, 6)}…`),
      ...operations
        .filter(
          ({ status = 0, text = '' }) => status >= 400 && (inside.test(text) || canaries.some((canary) => text.includes(canary))),
        )
        .map(({ kind, status }) => `an answer ${status} to ${kind} tells what it must not`),
    ];
  },
};

const logIsJson: Checker = {
  invariant: 'I-26',
  promise: 'every log line is one JSON object, and that of a request names it, its route and its status',
  check: ({ lives }) => lives.flatMap(badLines).slice(0, 10),
};

function badLines({ log, killed }: Life): readonly string[] {
  const lines = log.split('\n');
  const unfinished = lines.pop();
  const bad = lines.filter((line) => !isLogLine(line)).map((line) => `not a log line: ${line.slice(0, 100)}`);
  return unfinished !== '' && !killed ? [...bad, 'the last line has no end'] : bad;
}

function isLogLine(line: string): boolean {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null || !('time' in entry) || !('level' in entry)) return false;
    if (!('msg' in entry) || entry.msg !== 'request') return true;
    return 'requestId' in entry && 'route' in entry && 'status' in entry;
  } catch {
    return false;
  }
}

export const conductCheckers: readonly Checker[] = [
  boundedAndNever500,
  staysAlive,
  recovers,
  noLeak,
  secretsStaySecret,
  logIsJson,
];

/** Those of the audit that have no checker of their own. */
export const auditCheckers: readonly Checker[] = [
  audited('I-02', 'every reservation agrees with the order or the claim that it belongs to'),
  audited('I-09', 'no transition without its event, no event without its transition'),
  audited('I-10', 'every event was delivered'),
  {
    invariant: 'I-11',
    promise: 'every event took effect once: an order is confirmed once, and its pieces leave the shelf once',
    check: ({ doubledEffects, timelines }) => [
      ...doubledEffects,
      ...[...timelines]
        .filter(([, entries]) => entries.filter(({ status }) => status === 'confirmed').length > 1)
        .map(([id]) => `order ${id} was confirmed twice`),
    ],
  },
];

function audited(invariant: string, promise: string): Checker {
  return {
    invariant,
    promise,
    check: ({ findings }: Evidence) =>
      findings.filter((finding) => finding.invariant === invariant).map(({ subject, detail }) => `${subject}: ${detail}`),
  };
}

import { crashPoints } from '../../src/shared/crash-setting.ts';
import { holdDynamo, killDynamo, lostWriteAnswers, throttleDynamo } from './account-faults.ts';
import { killRedis, poisonedCopies, redisFull, restartRedisEmpty, stampede } from './cache-faults.ts';
import { announcedBody, dribblingClients, hotProduct, overload, sameKeyAtOnce, vanishingClients } from './client-faults.ts';
import { fullDisk, lostFirstOfTwenty, poolInUse } from './combined-faults.ts';
import {
  duplicatesInDisorder,
  failedBatches,
  killQueue,
  lateCommit,
  lostAnswers,
  poisonMessages,
  refuseQueue,
} from './event-faults.ts';
import type { Inject } from './fault-run.ts';
import { linkRows } from './link-catalogue.ts';
import {
  cutCommits,
  freezeServer,
  killServer,
  lockWait,
  noConnectionsLeft,
  oppositeOrder,
  readOnlyServer,
  resets,
  restartServer,
  schemaLock,
  through,
} from './mysql-faults.ts';
import {
  blockLoop,
  crashAt,
  freezeLeaseHolders,
  freezeOne,
  killAll,
  killOneAfterAnother,
  noRoomForLogs,
  onlyDatabase,
  otherTimeZone,
  rollingRestart,
  stepClock,
  terminateWhileBusy,
  unhandledRejection,
} from './process-faults.ts';
import type { Random } from './random.ts';

/** A test of another suite that meets the fault; test/faults.test.ts sees to it that it exists. */
export interface CoveringTest {
  readonly file: string;
  readonly title: string;
}

/** One row of the catalogue of faults: run here, met by named tests, or not to be had on one machine. */
export type CatalogueRow = { readonly id: string; readonly title: string } & (
  | {
      readonly runs: Readonly<Record<string, Inject>>;
      /** on a cluster of its own, whose database lies on a small file system */
      readonly smallDisk?: true;
      /** on a cluster of its own, with a service for each module */
      readonly services?: true;
    }
  | { readonly coveredBy: readonly CoveringTest[] }
  | { readonly notInjectable: string }
);

const hour = 3_600_000;
const authRaces: CoveringTest = { file: 'test/auth-races.test.ts', title: 'when "%s" is interrupted anywhere by "%s"' };
const points = Object.fromEntries(crashPoints.map((point) => [point, crashAt(point)]));

export const catalogue: readonly CatalogueRow[] = [
  { id: 'F-01', title: 'One process after the other is killed under load', runs: { 'SIGKILL ×3': killOneAfterAnother } },
  { id: 'F-02', title: 'All processes are killed at once', runs: { SIGKILL: killAll } },
  { id: 'F-03', title: 'A process is frozen, and wakes late', runs: { 'SIGSTOP 20 s': freezeOne } },
  { id: 'F-04', title: 'A process dies at a step of an order', runs: points },
  { id: 'F-05', title: 'Rolling restart under load', runs: { SIGTERM: rollingRestart } },
  { id: 'F-06', title: 'Told to end while requests are under way', runs: { SIGTERM: terminateWhileBusy } },
  { id: 'F-07', title: 'The event loop is blocked for 2 s', runs: { SIGSTOP: blockLoop } },
  {
    id: 'F-08',
    title: 'The heap reaches its limit',
    notInjectable: 'a supervisor restarts on memory; here its SIGTERM and SIGKILL are F-05 and F-01',
  },
  { id: 'F-09', title: 'A rejection that nobody handles', runs: { rejection: unhandledRejection } },
  { id: 'F-10', title: 'Two relays, two sweepers, a lease that ran out', runs: { 'SIGSTOP past the lease': freezeLeaseHolders } },
  { id: 'F-11', title: 'The database is frozen', runs: { 'SIGSTOP 15 s': freezeServer } },
  { id: 'F-12', title: 'The database restarts', runs: { SIGTERM: restartServer } },
  { id: 'F-13', title: 'The database is killed', runs: { SIGKILL: killServer } },
  { id: 'F-14', title: 'The database refuses connections', runs: { refuse: through('mysql', 'refuse', 6000) } },
  { id: 'F-15', title: 'The database is a black hole', runs: { hold: through('mysql', 'hold', 8000) } },
  { id: 'F-16', title: 'Connections to the database break in the middle', runs: { RST: resets('mysql') } },
  { id: 'F-17', title: 'COMMIT is lost on its way', runs: { 'cut before': cutCommits('cut before') } },
  { id: 'F-18', title: 'COMMIT is done and its answer lost', runs: { 'cut after': cutCommits('cut after') } },
  { id: 'F-19', title: 'Deadlocks', runs: { 'opposite order': oppositeOrder } },
  { id: 'F-20', title: 'A lock is held for 10 s', runs: { 'FOR UPDATE': lockWait } },
  { id: 'F-21', title: 'Three inserts of one key, the first rolls back', runs: { '×20, COMMITs lost': lostFirstOfTwenty } },
  { id: 'F-22', title: 'Every connection of the pool is in use', runs: { '60 clients, delay 400 ms': poolInUse } },
  { id: 'F-23', title: 'The server takes no more connections (1040)', runs: { 'max_connections 20': noConnectionsLeft } },
  { id: 'F-24', title: 'The disk of the database is full', runs: { ENOSPC: fullDisk }, smallDisk: true },
  { id: 'F-25', title: 'The disk of the log is full', runs: { ENOSPC: noRoomForLogs } },
  { id: 'F-27', title: 'The database becomes read-only', runs: { 'read_only = 1': readOnlyServer } },
  {
    id: 'F-28',
    title: 'Every answer of the database is slow',
    runs: { 'delay 150 ms': through('mysql', { delayMs: 150 }, 6000) },
  },
  { id: 'F-29', title: 'A change of the schema waits for a lock', runs: { 'ALTER TABLE': schemaLock } },
  { id: 'F-30', title: 'Redis is down', runs: { SIGKILL: killRedis } },
  { id: 'F-31', title: 'Redis restarts empty', runs: { 'SIGKILL, start': restartRedisEmpty } },
  { id: 'F-32', title: 'Redis is a black hole', runs: { hold: through('redis', 'hold', 6000) } },
  { id: 'F-33', title: 'Answers of Redis are lost', runs: { RST: resets('redis') } },
  { id: 'F-34', title: 'Redis has no memory left', runs: { 'maxmemory 1': redisFull } },
  { id: 'F-35', title: 'Copies in Redis are poisoned', runs: { SET: poisonedCopies } },
  { id: 'F-36', title: 'Everybody wants a product whose copy has just ended', runs: { '500 readers': stampede } },
  { id: 'F-37', title: 'DynamoDB is away', runs: { SIGKILL: killDynamo, hold: holdDynamo } },
  { id: 'F-38', title: 'DynamoDB throttles', runs: { '2 of 3 requests': throttleDynamo } },
  { id: 'F-39', title: 'A conditional write is done and its answer lost', runs: { 'cut after': lostWriteAnswers } },
  {
    id: 'F-40',
    title: 'Reads of users lag behind writes',
    notInjectable: 'DynamoDB Local has one copy of everything, which never lags',
  },
  { id: 'F-41', title: 'An update meets a deleted user', coveredBy: [authRaces] },
  {
    id: 'F-42',
    title: 'A batch is answered in part',
    coveredBy: [
      {
        file: 'test/dynamo-collection.test.ts',
        title: 'asks again for what a busy store left out of an answer, and gives up after a while',
      },
    ],
  },
  { id: 'F-43', title: 'SQS is down', runs: { SIGKILL: killQueue, refuse: refuseQueue } },
  { id: 'F-44', title: 'A message is sent and the answer lost', runs: { 'cut after': lostAnswers('SendMessageBatch') } },
  { id: 'F-45', title: 'Death between publishing and marking', runs: { 'after-publish': crashAt('after-publish') } },
  {
    id: 'F-46',
    title: 'A message is delivered again',
    runs: { 'deletion lost': lostAnswers('DeleteMessageBatch'), '×3': duplicatesInDisorder },
  },
  { id: 'F-47', title: 'Messages come out of order', runs: { shuffled: duplicatesInDisorder } },
  {
    id: 'F-48',
    title: 'A message comes back while it is being handled',
    coveredBy: [
      {
        file: 'test/queued-events.test.ts',
        title: 'stays with a handler that takes longer than the time for which messages are held',
      },
    ],
  },
  { id: 'F-49', title: 'Messages that nobody can read', runs: { poison: poisonMessages } },
  {
    id: 'F-50',
    title: 'No consumer for days',
    notInjectable: 'needs the retention of a real SQS; the setting is 14 days (docs/operating.md)',
  },
  { id: 'F-51', title: 'An event is committed after later ones', runs: { 'open transaction': lateCommit } },
  { id: 'F-52', title: 'A batch is sent in part', runs: { 'Failed[]': failedBatches } },
  { id: 'F-53', title: 'The clock of one process jumps', runs: { '+1 h': stepClock(hour), '−10 min': stepClock(-hour / 6) } },
  { id: 'F-54', title: 'Two processes are 30 s apart', runs: { '+30 s': stepClock(30_000) } },
  { id: 'F-55', title: 'Daylight saving and time zones', runs: { 'TZ=America/St_Johns': otherTimeZone } },
  { id: 'F-56', title: 'Clients hang up before the answer', runs: { RST: vanishingClients } },
  { id: 'F-57', title: 'The same key twenty times at once', runs: { '×20': sameKeyAtOnce } },
  { id: 'F-58', title: 'Requests that never end', runs: { '200 sockets': dribblingClients } },
  { id: 'F-59', title: 'A huge body is announced', runs: { '100 MB': announcedBody } },
  {
    id: 'F-60',
    title: 'A flood of sign-ins',
    coveredBy: [
      {
        file: 'test/password-hash.test.ts',
        title: 'runs a few at once, the others in turn, and refuses what would wait too long',
      },
    ],
  },
  { id: 'F-61', title: 'More requests than there is time for', runs: { '60 clients': overload } },
  { id: 'F-62', title: 'Everybody wants the last pieces', runs: { '300 buyers': hotProduct } },
  {
    id: 'F-63',
    title: 'Death between reserving and ordering',
    runs: { 'after-reserve-commit': crashAt('after-reserve-commit') },
  },
  {
    id: 'F-64',
    title: 'The sweep, the cancel and the commit race',
    coveredBy: [
      {
        file: 'test/order-interleavings.test.ts',
        title: 'sells each piece once, places one order for each key, and comes to rest',
      },
      { file: 'test/claim-races.test.ts', title: 'waits, and sells the pieces when the order is there' },
    ],
  },
  { id: 'F-65', title: 'Refresh races refresh, sign-out and erasure', coveredBy: [authRaces] },
  { id: 'F-66', title: 'Only the database can be reached', runs: { 'hold the rest': onlyDatabase } },
  {
    id: 'F-67',
    title: 'A store answers noise',
    runs: {
      mysql: through('mysql', 'garble', 4000),
      dynamo: through('dynamo', 'garble', 4000),
      redis: through('redis', 'garble', 4000),
      sqs: through('sqs', 'garble', 4000),
    },
  },
  {
    id: 'F-68',
    title: 'Old code beside new code',
    notInjectable: 'there is one version so far; a message of an unheard-of type is part of F-49',
  },
  ...linkRows,
];

/** The most telling ones, short enough for every run of the tests. */
export const shortFaults: readonly string[] = ['F-17', 'F-18', 'F-02', 'F-13', 'F-15', 'F-30', 'F-43', 'F-37'];

const sampledPoints = 1;

/** The short faults, and a point at which a process dies, as one row. */
export function shortInjections(random: Random): Readonly<Record<string, Inject>> {
  const rows = catalogue.filter(({ id }) => shortFaults.includes(id));
  const faults = rows.flatMap((row) =>
    'runs' in row
      ? Object.entries(row.runs)
          .slice(-1)
          .map(([how, inject]) => [`${row.id} ${how}`, inject] as const)
      : [],
  );
  const reachable = Object.entries(points).filter(([point]) => !point.includes('void'));
  const crashes = Array.from({ length: sampledPoints }, () => random.pick(reachable)).map(
    ([point, inject]) => [`F-04 ${point}`, inject] as const,
  );
  return Object.fromEntries([...faults, ...crashes]);
}

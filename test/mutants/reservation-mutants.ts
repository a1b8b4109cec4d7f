import { embedded, type Mutant, services } from './mutant.ts';

const reserve = 'src/modules/catalog/reserve.ts';
const settle = 'src/modules/catalog/settle-reservation.ts';
const store = 'src/modules/catalog/reservation-store.ts';
const states = (story: string) => embedded('reservation-states', `the states of a reservation ${story}`);

/** A reservation is made once, for one set of items, and moves forward once. */
export const reservationMutants: readonly Mutant[] = [
  {
    guard: 'the digest tells other items under the same id apart',
    file: reserve,
    text: "if (earlier.digest !== digest) return { outcome: 'mismatch', lines: [] };",
    mutation: '',
    noticedBy: [embedded('reserving', 'reserving tells other items under the same id apart')],
  },
  {
    guard: 'a reservation that was released before it was made holds nothing',
    file: reserve,
    text: "if (earlier.digest === null) return { outcome: 'known', lines: [] };",
    mutation: '',
    noticedBy: [states('a release of an unknown one is remembered: a late reserve holds nothing')],
  },
  {
    guard: 'the release of an unknown reservation is remembered',
    file: settle,
    text: "return state === 'held' || state === 'unknown' ? 'released' : undefined;",
    mutation: "return state === 'held' ? 'released' : undefined;",
    noticedBy: [states('a release of an unknown one is remembered: a late reserve holds nothing')],
  },
  {
    guard: 'pieces are returned once',
    file: settle,
    text: "if (state === 'committed') return 'returned';",
    mutation: "if (state === 'committed' || state === 'returned') return 'returned';",
    noticedBy: [states('committed → returned: the pieces come back, once')],
  },
  {
    guard: 'pieces are sold once',
    file: settle,
    text: "return state === 'held' ? 'committed' : undefined;",
    mutation: "return state === 'held' || state === 'committed' ? 'committed' : undefined;",
    noticedBy: [states('held → committed: the pieces are sold, once')],
  },
  {
    guard: 'a released reservation is never sold',
    file: settle,
    text: "return state === 'held' ? 'committed' : undefined;",
    mutation: "return state === 'held' || state === 'released' ? 'committed' : undefined;",
    noticedBy: [states('a released or returned reservation is never sold')],
  },
  {
    guard: 'a move of a reservation has the state that it comes from in its WHERE',
    file: store,
    text: 'WHERE id IN ${oneList(ids)} AND +state = ?`',
    mutation: 'WHERE id IN ${oneList(ids)} AND ? IS NOT NULL`',
    noticedBy: [
      embedded('reservation-races', 'many at once carries its guard into the statement that writes'),
      services('reservation-races', 'many at once carries its guard into the statement that writes'),
    ],
  },
  {
    guard: 'only released reservations are forgotten',
    file: store,
    text: ".filter(({ state }) => state === 'released')",
    mutation: '.filter(() => true)',
    noticedBy: [states('forgets released ones only')],
  },
  {
    guard: 'a batch that the store refused is rolled back and run again one by one',
    file: 'src/shared/batcher.ts',
    text: 'if (mayRunAlone(error)) for (const waiting of batch) await runAlone(waiting);\n        else',
    mutation: '',
    noticedBy: [
      embedded('batcher', 'calls that come at the same time run again one by one when one of them breaks the run'),
      embedded('reservation-races', 'many at once rolls back and reruns one by one when the store refuses a batch'),
    ],
  },
  {
    guard: 'a batch is refused when too many wait',
    file: 'src/shared/batcher.ts',
    text: 'if (queue.length >= maxWaiting) throw overloaded();',
    mutation: '',
    noticedBy: [
      embedded('batcher', 'calls that come at the same time are refused when too many wait, and nothing of theirs is begun'),
    ],
  },
];

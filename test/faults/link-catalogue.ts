import type { Inject } from './fault-run.ts';
import { cutCalls, freezeService, killService, lateCalls, resetLink, throughLink } from './link-faults.ts';

/** Rows of the catalogue that take a service for each module. */
export interface LinkRow {
  readonly id: string;
  readonly title: string;
  readonly runs: Readonly<Record<string, Inject>>;
  readonly services: true;
}

const row = (id: string, title: string, runs: LinkRow['runs']): LinkRow => ({ id, title, runs, services: true });

export const linkRows: readonly LinkRow[] = [
  row('L-01', 'Orders are refused connections to the catalog', { refuse: throughLink('refuse', 6000) }),
  row('L-02', 'The catalog is a black hole to orders', { hold: throughLink('hold', 12_000) }),
  row('L-03', 'Every answer of the catalog is slow', { 'delay 300 ms': throughLink({ delayMs: 300 }, 6000) }),
  row('L-04', 'The catalog answers noise', { garble: throughLink('garble', 4000) }),
  row('L-05', 'Connections to the catalog break in the middle', { RST: resetLink }),
  row('L-06', 'Calls are lost on their way to the catalog', { 'cut before': cutCalls('cut before') }),
  row('L-07', 'Calls are done and their answers lost', { 'cut after': cutCalls('cut after') }),
  row('L-08', 'Calls arrive after their callers gave up, or twice', { 'kept back': lateCalls }),
  row('L-09', 'A service is killed', {
    'SIGKILL catalog ×3': killService('catalog'),
    'SIGKILL orders ×3': killService('orders'),
    'SIGKILL auth ×3': killService('auth'),
  }),
  row('L-10', 'A service is frozen, and wakes late', {
    'SIGSTOP catalog 15 s': freezeService('catalog'),
    'SIGSTOP orders 15 s': freezeService('orders'),
  }),
];

/** Short enough for every run of the tests. */
const shortLinkFaults: readonly string[] = ['L-02', 'L-07', 'L-08', 'L-09'];

/** The first way of each. */
export function shortLinkInjections(): Readonly<Record<string, Inject>> {
  const rows = linkRows.filter(({ id }) => shortLinkFaults.includes(id));
  return Object.fromEntries(
    rows.flatMap(({ id, runs }) =>
      Object.entries(runs)
        .slice(0, 1)
        .map(([how, inject]) => [`${id} ${how}`, inject]),
    ),
  );
}

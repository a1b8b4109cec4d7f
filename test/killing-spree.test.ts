import { setTimeout as pause } from 'node:timers/promises';
import { startKillingSpree } from './faults/killing-spree.ts';
import type { ManagedProgram } from './faults/managed-program.ts';
import { createRandom } from './faults/random.ts';
import { eventually } from './harness/eventually.ts';

/** A program whose start takes `startMs`, and how long it was up before each kill. */
function createProgram(name: string, startMs: number) {
  let upSince: number | undefined = performance.now();
  const livedMs: number[] = [];
  const program: Partial<ManagedProgram> = {
    name,
    kill: async () => {
      livedMs.push(upSince === undefined ? 0 : performance.now() - upSince);
      upSince = undefined;
      return [null, 'SIGKILL'];
    },
    start: async () => {
      await pause(startMs);
      upSince = performance.now();
    },
  };
  return { program: program as ManagedProgram, livedMs, isUp: () => upSince !== undefined };
}

const everyMs = 100;
/** whoever comes first is killed, and started again at once */
const random = { ...createRandom(1), pick: <T>([first]: readonly T[]) => first as T, below: () => 0 };
const spreeOn = (...programs: readonly { readonly program: ManagedProgram }[]) =>
  startKillingSpree({ programs: programs.map(({ program }) => program), everyMs, random, onKill: () => {} });

describe('a killing spree', () => {
  it('spares whoever is back for as long as it waits between two kills, however long a start takes', async () => {
    const slow = createProgram('slow', everyMs * 0.8);
    const spree = spreeOn(slow);
    await eventually(async () => expect(slow.livedMs.length).toBeGreaterThan(4));
    await spree.end();
    expect(Math.min(...slow.livedMs)).toBeGreaterThan(everyMs * 0.9);
  });

  it('takes another one meanwhile', async () => {
    const [slow, other] = [createProgram('slow', 5 * everyMs), createProgram('other', 0)];
    const spree = spreeOn(slow, other);
    await eventually(async () => expect(other.livedMs.length).toBeGreaterThan(1));
    await spree.end();
  });

  it('leaves everybody up when it ends', async () => {
    const slow = createProgram('slow', 3 * everyMs);
    const spree = spreeOn(slow);
    await eventually(async () => expect(slow.isUp()).toBe(false));
    await spree.end();
    expect(slow.isUp()).toBe(true);
    await pause(2 * everyMs);
    expect(spree.kills()).toEqual({ slow: 1 });
  });
});

import { pino } from 'pino';
import type { RevocationItem } from '../src/modules/auth/auth-tables.ts';
import { createRevocationStore } from '../src/modules/auth/revocation-store.ts';
import { createRevocations } from '../src/modules/auth/revocations.ts';
import type { DynamoCollection } from '../src/shared/dynamo-collection.ts';
import { unavailable } from '../src/shared/failure.ts';

const minute = 60_000;
const start = Date.parse('2030-01-01T12:00:30Z');
const log = pino({ level: 'silent' });

/** The table, in memory, and what can go wrong with it. */
function openTable() {
  const rows = new Map<string, RevocationItem>();
  const state: { fails: boolean; reads: number; beforeInsert?: () => void; hangs?: Promise<void> } = { fails: false, reads: 0 };
  const table: Pick<DynamoCollection<RevocationItem>, 'insert' | 'query'> = {
    insert: async (item) => {
      if (state.fails) throw unavailable('down');
      state.beforeInsert?.();
      const key = `${item.minute} ${item.revocation_id}`;
      if (rows.has(key)) return false;
      rows.set(key, item);
      return true;
    },
    query: async ({ partition }) => {
      state.reads += 1;
      const items = [...rows.values()].filter((row) => row.minute === partition.minute);
      await state.hangs;
      if (state.fails) throw unavailable('down');
      return { items };
    },
  };
  // nothing else of it is used
  return { table: table as DynamoCollection<RevocationItem>, rows, state };
}

function openProcess(table: DynamoCollection<RevocationItem>) {
  const clock = { now: start };
  const store = createRevocationStore({ revocations: table }, () => clock.now);
  const revocations = createRevocations(store, () => clock.now, log);
  return { clock, revocations };
}

const token = { userId: 'ada', sessionId: 'phone', tokenVersion: 1 };

describe('revocations', () => {
  it('of a user end the tokens of before, but for those of one session', async () => {
    const { revocations } = openProcess(openTable().table);
    await revocations.publish({ userId: 'ada', lowestToken: 2, except: 'laptop' });
    expect(revocations.isRevoked(token)).toBe(true);
    expect(revocations.isRevoked({ ...token, sessionId: 'laptop' })).toBe(false);
    expect(revocations.isRevoked({ ...token, tokenVersion: 2 })).toBe(false);
    expect(revocations.isRevoked({ ...token, userId: 'bob' })).toBe(false);
    await revocations.publish({ userId: 'ada', lowestToken: 3 });
    expect(revocations.isRevoked({ ...token, sessionId: 'laptop', tokenVersion: 2 })).toBe(true);
    expect(revocations.isRevoked({ ...token, tokenVersion: 3 })).toBe(false);
  });

  it('are read anew where the read under way began before the process was paused', async () => {
    const { table, state } = openTable();
    const [paused, other] = [openProcess(table), openProcess(table)];
    const [hang, further] = [Promise.withResolvers<void>(), paused.revocations];
    state.hangs = hang.promise;
    const poll = further.poll();
    delete state.hangs;
    await other.revocations.publish({ sessionId: 'phone' });
    paused.clock.now += minute / 2;
    const refreshed = further.refresh();
    hang.resolve();
    await Promise.all([poll, refreshed]);
    expect(further.isRevoked(token)).toBe(true);
  });

  it('of a session end its tokens alone', async () => {
    const { revocations } = openProcess(openTable().table);
    await revocations.publish({ sessionId: 'phone' });
    expect(revocations.isRevoked({ ...token, tokenVersion: 99 })).toBe(true);
    expect(revocations.isRevoked({ ...token, sessionId: 'laptop' })).toBe(false);
  });

  it('of the last twenty minutes are known to a process that starts', async () => {
    const { table } = openTable();
    const one = openProcess(table);
    await one.revocations.publish({ sessionId: 'phone' });
    const two = openProcess(table);
    two.clock.now += 19 * minute;
    await two.revocations.poll();
    expect(two.revocations.isRevoked(token)).toBe(true);
  });

  it('that are new are found by the next poll', async () => {
    const { table } = openTable();
    const [one, two] = [openProcess(table), openProcess(table)];
    await two.revocations.poll();
    await one.revocations.publish({ sessionId: 'phone' });
    expect(two.revocations.isRevoked(token)).toBe(false);
    two.clock.now += 2000;
    await two.revocations.poll();
    expect(two.revocations.isRevoked(token)).toBe(true);
  });

  it('of a writer whose clock is two seconds ahead are found across the minute', async () => {
    const { table } = openTable();
    const [ahead, behind] = [openProcess(table), openProcess(table)];
    behind.clock.now = start + 29_000;
    ahead.clock.now = behind.clock.now + 1900;
    await behind.revocations.poll();
    await ahead.revocations.publish({ sessionId: 'phone' });
    await behind.revocations.poll();
    expect(behind.revocations.isRevoked(token)).toBe(true);
  });

  it('that were written late are found within a minute', async () => {
    const { table } = openTable();
    const [one, two] = [openProcess(table), openProcess(table)];
    two.clock.now += 10 * minute;
    await two.revocations.poll();
    await table.insert({ minute: Math.floor(start / minute), revocation_id: 'phone', session_id: 'phone', expires: 0 });
    two.clock.now += 30_000;
    await two.revocations.poll();
    expect(two.revocations.isRevoked(token)).toBe(false);
    two.clock.now += 30_000;
    await two.revocations.poll();
    expect(two.revocations.isRevoked(token)).toBe(true);
    expect(one.revocations.isRevoked(token)).toBe(false);
  });

  it('whose row took too long to arrive are written again, where the others look', async () => {
    const { table, rows, state } = openTable();
    const { clock, revocations } = openProcess(table);
    state.beforeInsert = () => {
      delete state.beforeInsert;
      clock.now += 3 * minute;
    };
    await revocations.publish({ sessionId: 'phone' });
    expect([...rows.values()].map((row) => row.minute - Math.floor(start / minute))).toEqual([0, 3]);
  });

  it('are forgotten when the tokens have expired by themselves', async () => {
    const { table } = openTable();
    const { clock, revocations } = openProcess(table);
    await revocations.publish({ sessionId: 'phone' });
    await revocations.publish({ userId: 'ada', lowestToken: 2 });
    clock.now += 16 * minute;
    await revocations.poll();
    expect(revocations.isRevoked(token)).toBe(true);
    clock.now += 7 * minute;
    await revocations.poll();
    expect(revocations.isRevoked(token)).toBe(false);
  });
});

describe('a process whose last poll is long ago', () => {
  it('polls before it decides', async () => {
    const { table, state } = openTable();
    const { clock, revocations } = openProcess(table);
    await revocations.poll();
    const { reads } = state;
    clock.now += 4000;
    expect(revocations.isFresh()).toBe(true);
    await revocations.refresh();
    expect(state.reads).toBe(reads);
    clock.now += 1;
    expect(revocations.isFresh()).toBe(false);
    await revocations.refresh();
    expect(state.reads).toBeGreaterThan(reads);
  });

  it('reads all twenty minutes when it has slept for several', async () => {
    const { table } = openTable();
    const [one, two] = [openProcess(table), openProcess(table)];
    await two.revocations.poll();
    await one.revocations.publish({ sessionId: 'phone' });
    two.clock.now += 10 * minute;
    await two.revocations.refresh();
    expect(two.revocations.isRevoked(token)).toBe(true);
  });

  it('goes on with what it knows while the store is down, and does not ask for each request', async () => {
    const { table, state } = openTable();
    const { clock, revocations } = openProcess(table);
    await revocations.publish({ sessionId: 'phone' });
    await revocations.poll();
    state.fails = true;
    clock.now += 5000;
    await revocations.refresh();
    const { reads } = state;
    for (let request = 0; request < 50; request++) await revocations.refresh();
    expect(state.reads).toBe(reads);
    expect(revocations.isRevoked(token)).toBe(true);
    expect(revocations.isRevoked({ ...token, sessionId: 'laptop' })).toBe(false);
    await expect(revocations.poll()).rejects.toMatchObject({ code: 'unavailable' });
    state.fails = false;
    await revocations.poll();
    expect(revocations.isFresh()).toBe(true);
  });

  it('does not wait long for a store that hangs', async () => {
    const { table, state } = openTable();
    const { clock, revocations } = openProcess(table);
    await revocations.poll();
    const hanging = Promise.withResolvers<void>();
    state.hangs = hanging.promise;
    clock.now += 5000;
    jest.useFakeTimers();
    try {
      const waiting = revocations.refresh();
      await jest.advanceTimersByTimeAsync(1000);
      await waiting;
      await revocations.refresh();
    } finally {
      jest.useRealTimers();
    }
    hanging.resolve();
    await revocations.poll();
  });
});

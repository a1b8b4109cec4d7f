import { FifoGate } from '../src/shared/fifo-gate.ts';

const tooLate = (waitedMs: number) => new Error(`waited ${waitedMs} ms`);

describe('a gate', () => {
  it('lets its holders in one after the other, in the order of their arrival', async () => {
    const gate = new FifoGate(1, tooLate);
    const seen: string[] = [];
    const pass = async (name: string) => {
      const release = await gate.acquire(10_000);
      seen.push(`${name} in`);
      await new Promise(setImmediate);
      seen.push(`${name} out`);
      release();
    };
    await Promise.all(['a', 'b', 'c'].map(pass));
    expect(seen).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });

  it('counts a place that is given back twice once', async () => {
    const gate = new FifoGate(1, tooLate);
    const release = await gate.acquire(10_000);
    release();
    release();
    await gate.acquire(10_000);
    await expect(gate.acquire(5)).rejects.toThrow('waited 5 ms');
  });

  it('does not give its place to one who has stopped waiting', async () => {
    const gate = new FifoGate(1, tooLate);
    const release = await gate.acquire(10_000);
    await expect(gate.acquire(5)).rejects.toThrow('waited 5 ms');
    const next = gate.acquire(10_000);
    release();
    (await next)();
  });

  it('refuses everybody once it is closed, but those inside', async () => {
    const gate = new FifoGate(1, tooLate);
    const release = await gate.acquire(10_000);
    const waiting = gate.acquire(10_000);
    gate.close(new Error('closed'));
    await expect(waiting).rejects.toThrow('closed');
    await expect(gate.acquire(10_000)).rejects.toThrow('closed');
    const drained = gate.drained(10_000);
    release();
    await drained;
  });
});

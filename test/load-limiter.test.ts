import { createLoadLimiter } from '../src/shared/load-limiter.ts';

/** A limiter with a clock of the test's own; `run` plays an open load of requests that a server of a given speed works off. */
function limiterOnTestClock() {
  jest.useFakeTimers();
  const lines: unknown[] = [];
  const limiter = createLoadLimiter({ log: { warn: (line: unknown) => void lines.push(line) }, now: () => Date.now() });
  const lane = limiter.laneOf({ shedding: 'early', quota: 'boats' });
  const waiting: { readonly leave: () => void; readonly since: number }[] = [];
  const durations: number[] = [];
  return {
    lane,
    limiter,
    lines,
    durations,
    waiting,
    /** so many milliseconds with these rates a second; answers how many were let in, refused and finished */
    run: (ms: number, { arrivals, speed }: { arrivals: number; speed: number }) => {
      const counts = { let: 0, refused: 0, finished: 0 };
      for (let at = 0; at < ms; at += 10) {
        for (let n = 0; n < arrivals / 100; n++) {
          const leave = lane.enter();
          if (leave === undefined) counts.refused += 1;
          else waiting.push({ leave, since: Date.now() });
          if (leave !== undefined) counts.let += 1;
        }
        jest.advanceTimersByTime(10);
        for (const { leave, since } of waiting.splice(0, speed / 100)) {
          leave();
          durations.push(Date.now() - since);
          counts.finished += 1;
        }
      }
      return counts;
    },
  };
}

afterEach(() => jest.useRealTimers());

describe('a lane that is shed early', () => {
  it('lets everything in that can be done', () => {
    const { run, lines } = limiterOnTestClock();
    expect(run(5000, { arrivals: 900, speed: 1000 })).toMatchObject({ refused: 0 });
    expect(lines).toEqual([]);
  });

  it('lets a burst in that takes a while', () => {
    const { run } = limiterOnTestClock();
    expect(run(10, { arrivals: 120_000, speed: 1000 })).toMatchObject({ let: 1200, refused: 0 });
    expect(run(3000, { arrivals: 0, speed: 1000 })).toMatchObject({ finished: 1190 });
  });

  it('refuses what is too much, so that what it lets in is done soon, at full speed', () => {
    const { run, durations, lines } = limiterOnTestClock();
    run(3000, { arrivals: 3000, speed: 1000 });
    durations.length = 0;
    const { finished, refused } = run(5000, { arrivals: 3000, speed: 1000 });
    expect(finished).toBe(5000);
    expect(refused).toBeGreaterThan(9000);
    expect(Math.max(...durations)).toBeLessThan(600);
    expect(lines.at(-1)).toMatchObject({ lane: 'boats', shed: expect.any(Number), limit: expect.any(Number) });
  });

  it('follows a server that becomes slow, and one that becomes fast again', () => {
    const { run, durations } = limiterOnTestClock();
    run(3000, { arrivals: 900, speed: 1000 });
    run(6000, { arrivals: 900, speed: 200 });
    durations.length = 0;
    run(2000, { arrivals: 900, speed: 200 });
    expect(Math.max(...durations)).toBeLessThan(700);
    run(6000, { arrivals: 900, speed: 1000 });
    expect(run(2000, { arrivals: 900, speed: 1000 })).toMatchObject({ refused: 0 });
    // more at once than the limit of the slow time
    run(6000, { arrivals: 20_000, speed: 20_000 });
    expect(run(2000, { arrivals: 20_000, speed: 20_000 })).toMatchObject({ refused: 0 });
  });

  it('does not fill up with requests that never end', () => {
    const { run, lane, waiting } = limiterOnTestClock();
    expect(run(5000, { arrivals: 1000, speed: 0 }).let).toBeLessThanOrEqual(1500);
    expect(lane.isFull()).toBe(true);
    for (const { leave } of waiting.splice(0)) leave();
    expect(run(1000, { arrivals: 500, speed: 1000 })).toMatchObject({ refused: 0 });
  });

  it('sheds when the process itself is late', () => {
    const { run, lane } = limiterOnTestClock();
    run(1000, { arrivals: 500, speed: 1000 });
    for (let window = 0; window < 2; window++) {
      jest.setSystemTime(Date.now() + 2000);
      jest.advanceTimersByTime(250);
    }
    const entered = Array.from({ length: 100 }, () => lane.enter()).filter((leave) => leave !== undefined);
    expect(entered).toHaveLength(64);
  });
});

describe('lanes', () => {
  it('do not hold each other up, and the late one is only bounded', () => {
    const { limiter, lane, run } = limiterOnTestClock();
    run(3000, { arrivals: 3000, speed: 100 });
    expect(lane.isFull()).toBe(true);
    const others = [
      limiter.laneOf({ shedding: 'early', quota: 'harbours' }),
      limiter.laneOf({ shedding: 'late', quota: 'boats' }),
      limiter.laneOf({ shedding: 'never', quota: 'boats' }),
    ];
    expect(others.map((other) => other.isFull())).toEqual([false, false, false]);
    expect(limiter.laneOf({ shedding: 'early', quota: 'boats' })).toBe(lane);
    const entered = Array.from({ length: 2000 }, () => others[1]?.enter()).filter((leave) => leave !== undefined);
    expect(entered).toHaveLength(1500);
    expect(others[2]?.enter()).toBeDefined();
    limiter.close();
  });
});

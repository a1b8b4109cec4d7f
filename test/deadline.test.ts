import { refuseWhenLate, timeLeftMs, untilLate, withDeadline, withoutDeadline } from '../src/shared/deadline.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const late = expect.objectContaining({ code: 'unavailable' });

describe('work with a deadline', () => {
  it('is answered in time, and left to itself after that', async () => {
    const ended = Promise.withResolvers<string>();
    const began = performance.now();
    const work = withDeadline(50, async () => {
      await pause(200);
      ended.resolve('the work came to its end');
    });
    await expect(work).rejects.toEqual(late);
    expect(performance.now() - began).toBeLessThan(180);
    expect(await ended.promise).toBe('the work came to its end');
  });

  it('tells everything that it calls how much time is left', async () => {
    await withDeadline(5000, async () => {
      await pause(20);
      expect(timeLeftMs()).toBeGreaterThan(4000);
      expect(timeLeftMs()).toBeLessThanOrEqual(4985);
      await withDeadline(60_000, async () => expect(timeLeftMs()).toBeLessThanOrEqual(4985));
      expect(withoutDeadline(timeLeftMs)).toBe(Number.POSITIVE_INFINITY);
    });
    expect(timeLeftMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('begins nothing any more when the time is over, and waits for nothing', async () => {
    const after = Promise.withResolvers<unknown[]>();
    const work = withDeadline(30, async () => {
      const waiting = await untilLate(new Promise(() => {})).catch((error: unknown) => error);
      const beginning = await Promise.resolve()
        .then(refuseWhenLate)
        .catch((error: unknown) => error);
      after.resolve([waiting, beginning]);
    });
    await expect(work).rejects.toEqual(late);
    expect(await after.promise).toEqual([late, late]);
  });

  it('is over once the caller was answered, also when a timer fires a part of a millisecond early', async () => {
    const beginning = Promise.withResolvers<unknown>();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1000);
    const work = withDeadline(30, async () => {
      await untilLate(new Promise(() => {})).catch(() => {});
      beginning.resolve(
        await Promise.resolve()
          .then(refuseWhenLate)
          .catch((error: unknown) => error),
      );
    });
    await expect(work).rejects.toEqual(late);
    expect(await beginning.promise).toEqual(late);
    clock.mockRestore();
  });

  it('answers and fails like any other', async () => {
    expect(await withDeadline(1000, () => untilLate(Promise.resolve(7)))).toBe(7);
    await expect(withDeadline(1000, () => untilLate(Promise.reject(new Error('no'))))).rejects.toThrow('no');
  });
});

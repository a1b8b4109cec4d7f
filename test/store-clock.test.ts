import { createStoreClock } from '../src/shared/store-clock.ts';

describe('the clock of a store', () => {
  const at = (iso: string) => Date.parse(iso);
  const header = (iso: string) => new Date(iso).toUTCString();

  it('is the own clock until the store has answered', () => {
    expect(
      createStoreClock(
        () => 5,
        () => 777,
      ).now(),
    ).toBe(777);
  });

  it('goes on from the date of an answer, whatever the own clock says', () => {
    let elapsed = 1000;
    const clock = createStoreClock(
      () => elapsed,
      () => 0,
    );
    clock.observe(header('2030-01-01T00:00:00Z'));
    elapsed += 90_000;
    expect(clock.now()).toBe(at('2030-01-01T00:01:30Z'));
  });

  it('gets nearer with each answer, since the header is cut to seconds', () => {
    let elapsed = 0;
    const clock = createStoreClock(() => elapsed);
    clock.observe(header('2030-01-01T00:00:00.900Z'));
    elapsed = 200;
    clock.observe(header('2030-01-01T00:00:01.100Z'));
    expect(clock.now()).toBe(at('2030-01-01T00:00:01Z'));
    elapsed = 300;
    clock.observe(header('2030-01-01T00:00:01.200Z'));
    expect(clock.now()).toBe(at('2030-01-01T00:00:01.100Z'));
  });

  it('follows a store whose clock was set back', () => {
    let elapsed = 0;
    const clock = createStoreClock(() => elapsed);
    clock.observe(header('2030-01-01T00:10:00Z'));
    elapsed = 1000;
    clock.observe(header('2030-01-01T00:05:00Z'));
    expect(clock.now()).toBe(at('2030-01-01T00:05:00Z'));
  });

  it('ignores an answer without a date', () => {
    const clock = createStoreClock(
      () => 0,
      () => 42,
    );
    clock.observe(undefined);
    clock.observe('tomorrow');
    expect(clock.now()).toBe(42);
  });
});

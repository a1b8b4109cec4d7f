/** A store's clock as its answers tell it, so that processes whose own clocks differ agree on a time. */
export interface StoreClock {
  /** notes the `Date` header of an answer (RFC 9110, section 6.6.1), one second fine */
  observe(dateHeader: string | undefined): void;
  /** milliseconds since 1970 by the store's clock, about a second exact; the own clock before the first answer */
  now(): number;
}

const resolutionMs = 1000;
const slackMs = 1000;

/** `monotonicNow` and `wallNow` in milliseconds; only the monotonic clock is used once the store has answered. */
export function createStoreClock(monotonicNow = () => performance.now(), wallNow = () => Date.now()): StoreClock {
  let offset: number | undefined;
  return {
    observe: (dateHeader) => {
      const date = Date.parse(dateHeader ?? '');
      if (Number.isNaN(date)) return;
      const lowest = date - monotonicNow();
      // The header is cut to the second: the latest bound seen is the nearest, unless the store's clock was set back.
      if (offset === undefined || lowest > offset || offset > lowest + resolutionMs + slackMs) offset = lowest;
    },
    now: () => (offset === undefined ? wallNow() : Math.round(offset + monotonicNow())),
  };
}
